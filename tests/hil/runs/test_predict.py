"""What a station has to find, said by hand for single frames."""

from __future__ import annotations

from hil.channel import Channel
from hil.limits import MEASUREMENTS
from hil.predict import predict
from hil.scenario import MEASURED
from protocols.profile import UART
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
    assert (found.crc_rejects, found.undetected, found.undecided) == (0, 0, 0)
    assert [arrival.at for arrival in found.good] == list(range(20))


def test_a_flip_is_one_reject_and_in_the_asm_none() -> None:
    body = predict(carried(fault("bit_flip", ber=None, offset=60, at={"frame": 3}, span={"frames": 2})), UART)
    assert (len(body.good), body.crc_rejects) == (18, 2)
    marker = predict(carried(fault("bit_flip", ber=None, offset=1, at={"frame": 3}, span={"frames": 2})), UART)
    assert (len(marker.good), marker.crc_rejects) == (18, 0)


def test_at_the_end_nobody_can_say() -> None:
    found = predict(carried(fault("bit_flip", ber=None, offset=60, at={"frame": 19})), UART)
    assert (len(found.good), found.crc_rejects, found.undecided) == (19, 0, 1)


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
