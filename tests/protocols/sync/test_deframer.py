"""The deframer: every vector whole, byte by byte, and with noise around it; bytes are conserved, nothing raises."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ccsds.tm_frame import TmFrame, encode_frame
from protocols.profile import ASM, UART
from protocols.sync.deframer import Deframer, Frame, Reject


def cadu(number: int) -> bytes:
    """A frame with pseudo-random content, so that no two are alike."""
    data = random.Random(number).randbytes(UART.data_length)
    return encode_frame(TmFrame(6, 0, number & 0xFF, number & 0xFF, 0, data, b"\1\0\0\0"), UART)


def deframe(stream: bytes, cuts: list[int] | None = None) -> tuple[list[Frame | Reject], Deframer]:
    """Feed a stream, cut into pieces of the given sizes in turn."""
    deframer = Deframer(UART)
    found: list[Frame | Reject] = []
    position, turn = 0, 0
    sizes = cuts or [len(stream) or 1]
    while position < len(stream):
        size = sizes[turn % len(sizes)]
        found += deframer.feed(stream[position : position + size])
        assert deframer.count().conserved
        position, turn = position + size, turn + 1
    assert deframer.count().total == len(stream)
    return found, deframer


def good(found: list[Frame | Reject]) -> list[bytes]:
    return [f.data for f in found if isinstance(f, Frame)]


STREAM = b"".join(cadu(n) for n in range(8))
NOISE = random.Random(1).randbytes(301)
VECTORS = {
    "clean": STREAM,
    "noise before": NOISE + STREAM,
    "noise after": STREAM + NOISE,
    "noise between": cadu(0) + NOISE + cadu(1),
    "half a frame": STREAM + cadu(9)[:70],
    "byte lost": STREAM[:200] + STREAM[201:],
    "byte added": STREAM[:200] + b"\xaa" + STREAM[200:],
    "asm damaged in lock": STREAM[:132] + b"\0" + STREAM[133:],
    "asm in the data": cadu(0) + ASM + cadu(1),
    "all asm": ASM * 200,
    "nothing": b"",
    "zeros": bytes(1000),
    "crc storm": b"".join(cadu(n)[:-1] + b"\0" for n in range(6)) + STREAM,
}


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("size", [1, 2, 7, 131, 132, 133, 4096])
def test_the_cut_of_the_reads_does_not_matter(name: str, size: int) -> None:
    whole, one = deframe(VECTORS[name])
    cut, two = deframe(VECTORS[name], [size])
    assert cut == whole
    assert one.count() == two.count()
    assert one.state == two.state


def test_clean_stream() -> None:
    found, deframer = deframe(STREAM)
    assert good(found) == [cadu(n)[4:] for n in range(8)]
    assert [f.offset for f in found] == [n * 132 for n in range(8)]
    assert deframer.state == "LOCK"
    assert deframer.count().good == len(STREAM)


@pytest.mark.parametrize("name", ["noise before", "noise after", "half a frame", "asm damaged in lock"])
def test_every_whole_frame_comes_through(name: str) -> None:
    found, _ = deframe(VECTORS[name])
    assert good(found) == good(deframe(STREAM)[0])


def test_a_damaged_asm_in_lock_is_accepted_on_the_crc() -> None:
    found, _ = deframe(VECTORS["asm damaged in lock"])
    assert [f.asm_damaged for f in found if isinstance(f, Frame)] == [False, True] + [False] * 6


def test_a_damaged_asm_without_lock_is_no_frame() -> None:
    found, _ = deframe(b"\0" + STREAM[1:132])
    assert found == []


@pytest.mark.parametrize(("name", "reasons"), [("byte lost", ["CRC"]), ("byte added", ["CRC", "SYNC"])])
def test_one_slip_costs_one_frame(name: str, reasons: list[str]) -> None:
    found, _ = deframe(VECTORS[name])
    assert good(found) == [cadu(n)[4:] for n in range(8) if n != 1]
    assert [f.reason for f in found if isinstance(f, Reject)] == reasons


def test_a_false_asm_before_a_frame_costs_nothing() -> None:
    found, _ = deframe(cadu(0) + ASM + cadu(1))
    assert good(found) == [cadu(0)[4:], cadu(1)[4:]]


def test_the_flywheel_gives_up() -> None:
    _, deframer = deframe(STREAM + bytes(132 * 4))
    assert deframer.state == "SEARCH"


def test_pending_is_the_trailing_piece() -> None:
    _, deframer = deframe(VECTORS["half a frame"])
    assert deframer.pending == cadu(9)[:70]


@settings(max_examples=200)
@given(
    st.lists(st.one_of(st.binary(max_size=200), st.integers(0, 50).map(cadu), st.just(ASM)), max_size=12),
    st.lists(st.integers(1, 300), min_size=1, max_size=5),
)
def test_any_bytes(pieces: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pieces)
    whole, one = deframe(stream)
    cut, two = deframe(stream, cuts)
    assert whole == cut
    assert one.count() == two.count()


def test_recovery_from_dropped_bytes() -> None:
    """A thousand frames with a byte dropped from every twentieth: at least 99.9 % of the intact ones, no fake."""
    frames = [cadu(n) for n in range(1000)]
    damaged = set(range(0, 1000, 20))
    rng = random.Random(6)
    stream = b""
    for n, frame in enumerate(frames):
        at = rng.randrange(132)
        stream += frame[:at] + frame[at + 1 :] if n in damaged else frame
    delivered = set(good(deframe(stream)[0]))
    intact = {frame[4:] for n, frame in enumerate(frames) if n not in damaged}
    assert len(delivered & intact) >= 0.999 * len(intact)
    assert not delivered - {frame[4:] for frame in frames}
