"""Mending where the source spoils values before it makes the checksum: known content is no truth there."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.lander import MARS6
from protocols.mending import MendedFrame
from protocols.mending.history import History
from protocols.mending.shapes import shapes_of
from protocols.profile import UART
from tests.protocols.mending.streams import cadus, flipped, mended, mission, packets, spoilt

SIZE = UART.cadu_length
RECORDED = Path(__file__).parent / "recorded"
MOLE = mission()
CADUS = cadus(MOLE)
(SHAPE,) = [shape for shape in shapes_of(MOLE) if shape.packet.definition.name == "STATE"]
PACKET = SHAPE.bits // 8
(HASH,) = [8 * 10 + leaf.start for leaf in SHAPE.leaves if leaf.name == "hash"]
(HEIGHT,) = [8 * 10 + leaf.start for leaf in SHAPE.leaves if leaf.name == "height"]
SPOILING = [spoilt(cadu, [HASH + 7 * n % 32], PACKET) if n % 12 == 5 else cadu for n, cadu in enumerate(CADUS)]
"""Of a source that spoils a bit of a constant in every twelfth packet."""


def one(frames: list[bytes], number: int, damaged: bytes) -> MendedFrame:
    (found,) = mended(MOLE, UART, b"".join([*frames[:number], damaged, *frames[number + 1 :]]))
    return found


@pytest.mark.parametrize(
    ("name", "frame", "sent"),
    [("stuck_word.bin", 60, (335, 372)), ("phase_byte.bin", 200, (2, 279))],
    ids=["a stuck word", "the phase byte"],
)
def test_a_value_spoilt_before_the_checksum_stays(name: str, frame: int, sent: tuple[int, ...]) -> None:
    """Recorded: one known bit was spoilt aboard, and restoring it left a syndrome that a wrong pair explained."""
    stream = (RECORDED / name).read_bytes()
    true = flipped(stream[frame * SIZE : (frame + 1) * SIZE], sent)
    (found,) = [each for each in mended(MARS6, UART, stream) if each.offset == frame * SIZE]
    assert found.level != "MENDED" or found.data == true


@pytest.mark.parametrize("frames", [CADUS, SPOILING], ids=["the first one", "one of several"])
@pytest.mark.parametrize("link", [HEIGHT + 30, 8 * 110], ids=["in the packet", "in the fill"])
def test_beside_a_spoilt_value_a_bit_of_the_link_is_mended(link: int, frames: list[bytes]) -> None:
    sent = spoilt(CADUS[60], [HASH + 3], PACKET)
    found = one(frames, 60, flipped(sent, [link]))
    assert (found.level, found.data) == ("MENDED", sent)
    assert [correction.bit for correction in found.corrections] == [link]


def learned(spoil: int) -> History:
    """Sixty packets; in every ``spoil``th one a bit of the hash is turned."""
    history = History(SHAPE)
    for number, (data, *_) in enumerate(packets(MOLE, 60)):
        turned = [HASH - 80] if spoil and number % spoil == 1 else []
        history.add(number, flipped(data, turned))
    return history


def test_the_more_packets_are_odd_the_more_is_spoilt() -> None:
    never, seldom, often = (learned(spoil).spoilt() for spoil in (0, 16, 8))
    assert 0 < never.body < seldom.body < often.body
    assert never.header == seldom.header == often.header < 1e-3
