"""The channel: every kind of fault, in its window and off, and every byte accounted for."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.channel.channel import Channel
from hil.faults import FAULTS, mission_time
from hil.verdict.oracle import Burst
from protocols.profile import UART
from tests.hil.faults.streams import OFF, SIZE, STREAM, bursts, came, carry, fault

MS = 1_000_000


def test_without_faults_nothing_changes() -> None:
    channel = carry()
    assert came(channel) == b"".join(burst.data for burst in bursts())
    assert channel.log.entries == []
    assert {piece.at for piece in channel.delivered("down")} == {burst.scet for burst in bursts()}


@pytest.mark.parametrize("kind", sorted(OFF))
def test_a_fault_that_is_off_changes_no_byte(kind: str) -> None:
    channel = carry(fault(kind, **OFF[kind]))
    assert came(channel) == channel.sent("down")
    assert channel.account("down").conserved
    assert not {"lost", "changed", "added"} & {entry.effect for entry in channel.log.entries}


@pytest.mark.parametrize("kind", STREAM)
def test_outside_its_window_nothing_changes(kind: str) -> None:
    channel = carry(fault(kind, at="09:30:00"))
    assert came(channel) == channel.sent("down")
    assert channel.log.entries == []


@pytest.mark.parametrize("kind", STREAM)
def test_in_its_window_it_is_logged_and_every_byte_accounted_for(kind: str) -> None:
    start, end = mission_time("09:07:30"), mission_time("09:07:40")
    channel = carry(fault(kind, at="09:07:30", span="10 s"))
    account, log = channel.account("down"), channel.log
    assert account.conserved, account
    assert account.pending == 0
    assert len(came(channel)) == account.delivered
    if kind not in ("rate", "slice"):
        assert log.entries
        assert all(start <= entry.scet < end for entry in log.entries)
    before = sum(len(burst.data) for burst in bursts() if burst.scet < start)
    assert came(channel)[:before] == channel.sent("down")[:before]
    after = channel.sent("down")[-50 * SIZE :]
    assert came(channel).endswith(after)


@pytest.mark.parametrize("kind", STREAM)
def test_the_seed_decides(kind: str) -> None:
    assert came(carry(fault(kind), seed=1)) == came(carry(fault(kind), seed=1))
    assert [e.at for e in carry(fault(kind), seed=1).log.entries] == [
        e.at for e in carry(fault(kind), seed=1).log.entries
    ]
    random = {"bit_flip", "byte_drop", "byte_dup", "byte_insert", "frame_drop", "frame_dup", "frame_reorder"}
    if kind in random | {"burst_loss", "garbage"}:
        assert came(carry(fault(kind), seed=1)) != came(carry(fault(kind), seed=2))


def test_one_fault_does_not_move_another() -> None:
    flips = fault("bit_flip")
    alone = [(e.frame, e.offset) for e in carry(flips).log.entries]
    both = carry(flips, fault("frame_drop", at="09:07:50"))
    assert [(e.frame, e.offset) for e in both.log.entries if e.kind == "bit_flip"] == alone


@settings(max_examples=60, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(STREAM), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    start=st.integers(0, 250),
    length=st.integers(1, 200),
)
def test_any_mixture_conserves_every_byte(kinds: list[str], seed: int, start: int, length: int) -> None:
    faults = [fault(kind, at={"frame": start}, span={"frames": length}) for kind in kinds]
    channel = carry(*faults, seed=seed)
    account = channel.account("down")
    assert account.conserved
    assert account.pending == 0
    times = [piece.at for piece in channel.delivered("down")]
    assert times == sorted(times)


@settings(max_examples=40, deadline=None)
@given(kind=st.sampled_from(STREAM), cuts=st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_how_the_sender_writes_does_not_matter(kind: str, cuts: list[int]) -> None:
    data, at, n = b"".join(burst.data for burst in bursts()), 0, 0
    spec = fault(kind, at={"frame": 20}, span={"frames": 100})
    whole, pieces = Channel([spec], 3, UART), Channel([spec], 3, UART)
    whole.feed_down(data, 0)
    while at < len(data):
        pieces.feed_down(data[at : at + cuts[n % len(cuts)]], 0, whole=False)
        at += cuts[n % len(cuts)]
        n += 1
    for channel in (whole, pieces):
        channel.close(0)
        channel.take_down(10**18)
    assert came(whole) == came(pieces)


def test_silence_starts_with_the_frame_of_that_time() -> None:
    channel = carry(fault("silence", at="09:07:30"))
    expected = b"".join(burst.data for burst in bursts() if burst.scet < mission_time("09:07:30"))
    assert came(channel) == expected


def test_windows_by_byte_and_event() -> None:
    sent = carry().sent("down")
    channel = carry(fault("stuck", at={"byte": 1000}, span={"bytes": 300}))
    assert came(channel) == sent[:1000] + bytes(300) + sent[1300:]
    drogue = tuple(burst for burst in bursts(1500, 200))
    channel = carry(fault("silence", at={"event": "DROGUE"}), events=True, sent=drogue)
    (first,) = {e.scet for e in channel.log.entries if e.frame == min(e.frame for e in channel.log.entries)}
    assert 0 <= first - mission_time("09:08:32") <= 1000 * MS


def test_flips_are_those_asked_for() -> None:
    sent = carry().sent("down")
    channel = carry(fault("bit_flip", ber=None, offset=5, mask=0x81, at={"frame": 7}, span={"frames": 1}))
    changed = bytearray(sent)
    changed[7 * SIZE + 5] ^= 0x81
    assert came(channel) == bytes(changed)
    (entry,) = channel.log.entries
    assert (entry.offset, entry.length, entry.effect) == (7 * SIZE + 5, 1, "changed")
    rate = fault("bit_flip", ber=1e-2)
    flipped = (int.from_bytes(came(carry(rate)), "big") ^ int.from_bytes(sent, "big")).bit_count()
    assert 0.9e-2 < flipped / len(sent) / 8 < 1.1e-2


def test_a_line_of_9600_baud_takes_its_time() -> None:
    channel = carry(fault("rate", baud=9600), sent=bursts()[:20])
    frame_ns = SIZE * 10 * 10**9 // 9600
    times = [piece.at for piece in channel.delivered("down")]
    assert times[0] == bursts()[0].scet + frame_ns
    assert all(later - earlier >= frame_ns for earlier, later in itertools.pairwise(times))


def test_a_stall_loses_nothing_and_an_overrun_what_its_fifo_cannot_hold() -> None:
    stall = carry(fault("stall", at="09:07:30", span="2 s"))
    assert came(stall) == stall.sent("down")
    released = [piece for piece in stall.delivered("down") if piece.at == mission_time("09:07:32")]
    assert len(released) >= 20
    window = range(mission_time("09:07:30"), mission_time("09:07:32"))
    inside = sum(len(burst.data) for burst in bursts() if burst.scet in window)
    for drop in ("new", "old"):
        overrun = carry(fault("overrun", fifo=400, drop=drop, at="09:07:30", span="2 s"))
        lost = sum(entry.length for entry in overrun.log.entries if entry.effect == "lost")
        assert lost == inside - 400
        assert len(overrun.sent("down")) - len(came(overrun)) == lost


def test_the_wrong_baud_rate_is_garbage_of_the_right_length() -> None:
    slow = carry(fault("wrong_baud", sent=115200, heard=57600))
    sent = slow.sent("down")
    assert 0.3 * len(sent) < len(came(slow)) < 0.7 * len(sent)
    assert UART.asm not in came(slow)
    near = carry(fault("wrong_baud", sent=115200, heard=117600))  # 2.1 % off: as an Arduino Uno is
    assert came(near) == near.sent("down")
    alone = Channel([fault("wrong_baud", sent=9600, heard=4800)], 1, UART)
    alone.feed_down(b"\x55", 0)  # 0 10101010 1: every second bit of 0101010101 is 0, and the line is then high
    (unit,) = alone.take_down(0)
    assert len(unit.data) == 1


def test_a_frame_that_a_reset_cut_off() -> None:
    frames = b"".join(burst.data for burst in bursts()[:4])
    channel = Channel([fault("frame_drop", p=1, at={"frame": 2}, span={"frames": 1})], 1, UART)
    cut, rest = frames[: SIZE + 50], frames[2 * SIZE :]
    channel.feed_down(cut, 0)
    channel.feed_down(rest, 1)
    units = channel.take_down(1)
    assert [len(unit.data) for unit in units[:2]] == [SIZE, 50]
    assert units[1].number == 1
    assert b"".join(unit.data for unit in units) == cut + rest[SIZE:]


def test_both_ways() -> None:
    channel = Channel([fault("silence", direction="both", at={"frame": 1})], 1, UART)
    for n in range(3):
        channel.feed_up(b"telecommand", n)
        channel.feed_down(bursts()[n].data[:SIZE], n)
    assert [unit.data for unit in channel.take_up(9)] == [b"telecommand"]
    assert len(channel.take_down(9)) == 1
    assert channel.account("up").conserved
    assert channel.account("up").lost == 22


def test_the_vocabulary_is_complete() -> None:
    assert len(FAULTS) == 27
    assert all(FAULTS[kind].__doc__ for kind in FAULTS)
    assert {spec.__struct_config__.tag for spec in FAULTS.values()} == set(FAULTS)


def test_bursts_have_frames() -> None:
    assert all(isinstance(burst, Burst) and len(burst.data) % SIZE == 0 for burst in bursts())
