"""What a station has to find, said by hand for single frames."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.channel.channel import Channel
from hil.channel.frame_splitter import FrameSplitter
from hil.channel.sent_frames import SentFrames
from hil.scenario.measurements import MEASURED
from hil.verdict.frames.predict import predict
from hil.verdict.frames.reference_deframer import find_frames
from hil.verdict.limits import MEASUREMENTS
from protocols.profile import UART
from protocols.sync.deframer import Deframer, Frame
from tests.hil.faults.streams import SIZE, bursts, fault

FRAMES = [burst.data[n : n + SIZE] for burst in bursts(880, 2200) for n in range(0, len(burst.data), SIZE)]


def carried(*faults: object, frames: list[bytes] | None = None) -> Channel:
    channel = Channel(list(faults), 1, UART)  # type: ignore[arg-type]
    for now, frame in enumerate(FRAMES[:20] if frames is None else frames):
        channel.feed_down(frame, now)
    channel.close(99)
    channel.take_down(99)
    return channel


def test_all_is_good() -> None:
    found = predict(carried(), UART)
    assert [arrival.position for arrival in found.good] == [SIZE * n for n in range(20)]
    assert (found.crc_rejects, found.undetected) == (0, 0)
    assert [arrival.at for arrival in found.good] == list(range(20))


def test_a_flip_is_one_reject_and_in_the_asm_none() -> None:
    body = predict(carried(fault("bit_flip", ber=None, offset=60, at={"frame": 3}, span={"frames": 2})), UART)
    assert (len(body.good), body.crc_rejects) == (18, 2)
    marker = predict(carried(fault("bit_flip", ber=None, offset=1, at={"frame": 3}, span={"frames": 2})), UART)
    assert (len(marker.good), marker.crc_rejects) == (18, 0)


def test_a_failed_frame_at_the_end_is_nothing_yet() -> None:
    found = predict(carried(fault("bit_flip", ber=None, offset=60, at={"frame": 19})), UART)
    assert (len(found.good), found.crc_rejects) == (19, 0)


def test_a_lost_byte_that_the_next_frame_brings() -> None:
    """A frame whose last byte is 1A loses it: the next ASM's first byte is as good, and the next frame has none."""
    ends = next(n for n, frame in enumerate(FRAMES) if frame.endswith(UART.asm[:1]))
    some = FRAMES[ends - 2 : ends + 3]
    channel = carried(fault("truncate", at_byte=SIZE - 1, at={"frame": 2}, span={"frames": 1}), frames=some)
    found = predict(channel, UART)
    assert [arrival.position // SIZE for arrival in found.good] == [0, 1, 2, 3]
    assert len(found.good) == 4
    assert found.crc_rejects == 0


def test_every_measurement_is_described_and_can_be_limited() -> None:
    assert set(MEASURED) == set(MEASUREMENTS)


def streams() -> st.SearchStrategy[bytes]:
    """Frames, pieces of frames, ASMs and noise, in any order."""
    frame = st.sampled_from(FRAMES[:20])
    piece = st.tuples(frame, st.integers(0, SIZE), st.integers(0, SIZE)).map(lambda t: t[0][min(t[1:]) : max(t[1:])])
    flipped = st.tuples(frame, st.integers(0, SIZE - 1)).map(lambda t: t[0][: t[1]] + b"\x5a" + t[0][t[1] + 1 :])
    return st.lists(st.one_of(frame, frame, piece, flipped, st.just(UART.asm), st.binary(max_size=9))).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(streams())
def test_the_reference_and_the_stations_deframer_agree(stream: bytes) -> None:
    """Two programs by the same rules: one looks at a whole stream, the other takes bytes as they come."""
    found = Deframer(UART).feed(stream)
    ours = [(each.offset, each.good, each.marked) for each in find_frames(stream, UART)]
    good = {(item.offset, True, not item.asm_damaged) for item in found if isinstance(item, Frame)}
    rejects = {(item.offset, False, item.reason == "CRC") for item in found if not isinstance(item, Frame)}
    assert ours == sorted(good | rejects)


@pytest.mark.parametrize("spoilt", [0, 2, 100])
def test_a_target_whose_chip_fails_is_cut_where_its_frames_end(spoilt: int) -> None:
    """Whatever byte of a frame is damaged, of the ASM too."""
    damaged = [f[:spoilt] + bytes([f[spoilt] ^ 0x5A]) + f[spoilt + 1 :] for f in FRAMES[4:9]]
    frames = [*FRAMES[:4], *damaged, *FRAMES[9:12]]
    for size in (1, 7, SIZE, 3 * SIZE):
        cutter, stream = FrameSplitter(UART), b"".join(frames)
        cuts = [cut for n in range(0, len(stream), size) for cut in cutter.feed(stream[n : n + size])]
        cuts += cutter.end()
        assert [cut.data for cut in cuts] == frames
    channel = carried(frames=frames)
    assert predict(channel, UART).undetected == 0


def test_a_reset_cuts_a_frame_off_whose_asm_is_damaged() -> None:
    cut = b"\0" + FRAMES[1][1:50]
    cutter = FrameSplitter(UART)
    cuts = cutter.feed(FRAMES[0] + cut + FRAMES[2]) + cutter.end()
    assert [each.data for each in cuts] == [FRAMES[0], cut, FRAMES[2]]


def test_a_whole_frame_has_to_be_found_though_asms_are_around() -> None:
    """An ASM that a fault adds makes a candidate of its own, which is one reject more."""
    found = predict(carried(fault("byte_insert", p=1e-3, burst=4, value=0x1A, at={"frame": 3})), UART)
    real = list(find_frames(found.stream, UART))
    assert {arrival.position for arrival in found.good} <= {each.offset for each in real if each.good}


def test_frames_are_numbered_over_turns_lives_and_damage() -> None:
    frames = [cut.data for cut in carried(frames=FRAMES).cuts if cut.vcid == 0][:600]
    spoilt = [f if n % 7 != 3 else f[:60] + b"\0\0\0" + f[63:] for n, f in enumerate(frames)]
    channel = carried(frames=spoilt + frames[:50])
    channel.take_down(10_000)
    sent = SentFrames(channel.cuts, channel.delivered("down"), UART)
    numbers = [sent.at(n * SIZE) for n in range(650)]
    assert [n.number for n in numbers[:600] if n is not None] == [n for n in range(600) if n % 7 != 3]
    assert [(n.life, n.number) for n in numbers[600:] if n is not None] == [(1, n) for n in range(50)]
