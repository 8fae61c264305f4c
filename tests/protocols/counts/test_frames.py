"""What a frame is, by its counters: single cases, then any mixture of losses, duplicates, late frames and restarts."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ccsds.aos_frame import AosFrame
from protocols.ccsds.space_packet import encode_packet
from protocols.ccsds.tm_frame import ONLY_IDLE, TmFrame
from protocols.counts import FrameCounter, Lost
from protocols.sync.frames import TransferFrame
from tests.protocols.counts.source import AOS, BUS, LANDER, MS, TM, Sent, Source, count, disturb, truth

KINDS = pytest.mark.parametrize("aos", [False, True], ids=["TM", "AOS"])


@KINDS
def test_a_stream_without_trouble_is_first_and_next(aos: bool) -> None:
    result = count(Source(aos).run(3000))
    assert result.kinds("NEXT") == ["FIRST", "FIRST"]
    assert result.lost.none
    assert result.lost_all.none


@KINDS
@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("later", [0, 1, 30])
def test_a_frame_that_comes_again_is_a_duplicate(aos: bool, copies: int, later: int) -> None:
    sent = Source(aos).run(300)
    came = sent[:200] + [sent[199 - later]] * copies + sent[200:]
    result = count(came)
    assert (result.lost.count, result.number("DUPLICATE"), result.number("NEXT")) == (0, copies, len(sent) - 2)


@KINDS
@pytest.mark.parametrize("by", [1, 4])
def test_a_late_frame_takes_its_loss_back(aos: bool, by: int) -> None:
    sent = Source(aos).run(300)
    n = next(n for n, each in enumerate(sent) if each.vcid == LANDER and each.number == 92)
    came = [*sent[:n], *sent[n + 1 : n + 1 + by], sent[n], *sent[n + 1 + by :]]
    result = count(came)
    assert result.lost.none
    assert result.number("LATE") == 1
    assert result.lost_all.none


def test_a_frame_of_before_the_first_one_is_late_and_no_loss() -> None:
    sent = Source().run(300)
    result = count([sent[51], sent[50], *sent[52:]])
    assert result.kinds("NEXT") == ["FIRST", "LATE", "FIRST"]
    assert result.lost.none


@KINDS
@pytest.mark.parametrize("frames", [1, 2, 3, 50, 254, 255, 256, 257, 511, 512, 513, 5000])
def test_an_outage_of_any_length_is_counted_exactly(aos: bool, frames: int) -> None:
    source = Source(aos)
    came = source.run(30)
    lost = source.run(frames)
    came += source.run(30)
    result = count(came)
    assert result.lost == Lost(len(lost))
    if not aos and frames < 1000:  # how many the other channel sends is known only roughly
        assert result.lost_all == Lost(len(lost))


@pytest.mark.parametrize("frames", [256, 512, 768, 1024])
def test_frames_of_all_channels_after_one_sent_alone(frames: int) -> None:
    source = Source()
    came = source.alone(BUS, 90, 1000) + source.run(190)
    lost = source.run(frames)
    assert count(came + source.run(30)).lost_all == Lost(len(lost))


@pytest.mark.parametrize("frames", [256, 512])
def test_the_bus_alone_knows_not_what_the_lander_lost(frames: int) -> None:
    source = Source()
    came = source.alone(BUS, 90, 1000) + source.run(195)
    lost = source.run(frames) + source.alone(BUS, 5, 1000)
    result = count(came + source.alone(BUS, 5, 1000))
    missing = sum(sent.vcid == BUS for sent in lost)
    assert (result.lost, result.lost_all) == (Lost(missing), Lost(missing, "AT_LEAST"))


def without_packets(sent: Sent, idle: bool = False) -> Sent:
    """The frame with nothing in it that counts."""
    assert isinstance(sent.frame, TmFrame)
    data = bytes(116) if idle else b"\x18\x01" + bytes(114)
    return replace(sent, frame=sent.frame._replace(data=data, first_header_pointer=ONLY_IDLE if idle else 0))


@pytest.mark.parametrize(("frames", "certainty"), [(10, "EXACT"), (256, "EXACT"), (300, "EXACT")])
def test_by_the_spacecrafts_time_alone_it_is_exact(frames: int, certainty: str) -> None:
    source = Source()
    came = [source.run(1)[0] for _ in range(30)]
    source.run(frames)
    came += [source.run(1)[0] for _ in range(30)]
    result = count([without_packets(each) for each in came])
    assert (result.lost.count, result.lost.certainty) == (frames, certainty)


@pytest.mark.parametrize(("frames", "text"), [(10, "EXACT"), (256, "ABOUT"), (300, "ABOUT")])
def test_by_the_time_of_reception_alone_it_is_about_so_many(frames: int, text: str) -> None:
    source = Source()
    came = [source.run(1)[0] for _ in range(30)]
    source.run(frames)
    came += [source.run(1)[0] for _ in range(30)]
    result = count([without_packets(each, idle=True) for each in came], time=False)
    assert (result.lost.count, result.lost.certainty) == (frames, text)


def test_by_the_count_alone_it_is_at_least_so_many() -> None:
    source = Source()
    came = [source.run(1)[0] for _ in range(30)]
    source.run(266)
    came += [source.run(1)[0] for _ in range(30)]
    result = count([without_packets(each, idle=True) for each in came], time=False, ert=False, periods=False)
    assert (result.lost.count, result.lost.certainty) == (10, "AT_LEAST")


def test_what_nothing_tells_is_unknown_and_not_none() -> None:
    """After 30 s of silence the count is where it was: none were sent, or a turn of them more slowly."""
    source = Source()
    came = [source.run(1)[0] for _ in range(30)]
    source.wait(30_000)
    came += [source.run(1)[0] for _ in range(30)]
    result = count([without_packets(each, idle=True) for each in came], time=False)
    assert (result.lost.count, result.lost.certainty) == (0, "UNKNOWN")


@pytest.mark.parametrize("seconds", [1, 20, 25.6, 60, 1000])
def test_a_transmitter_that_was_off_lost_nothing(seconds: float) -> None:
    source = Source()
    came = source.run(30)
    source.wait(round(seconds * 1000))
    assert count(came + source.run(30)).lost.none


def test_a_clock_that_stood_while_time_went_on_lost_nothing() -> None:
    source = Source()
    came = source.run(30)
    source.ert += 60_000
    assert count(came + source.run(30)).lost.none


@KINDS
@pytest.mark.parametrize("ticks", [2, 7, 33, 256, 700])
def test_a_source_that_starts_again_is_one_restart_and_no_loss(aos: bool, ticks: int) -> None:
    source = Source(aos)
    came = source.run(ticks)
    source.restart(pause=11_000)
    came += source.run(50)
    result = count(came)
    assert (result.lost.count, result.restarts, result.number("DUPLICATE")) == (0, 1, 0)
    (restart,) = (step for step in result.steps if step.kind == "RESTART")
    assert restart.evidence


@pytest.mark.parametrize("time", [False, True])
def test_a_restart_of_one_channel_alone_is_told_as_such(time: bool) -> None:
    """The bus goes on and counts all frames; the lander behind it starts again."""
    source = Source()
    came = source.run(77)
    source.counts[LANDER] = source.sequences[LANDER] = 0
    came += source.run(77)
    result = count(came, time=time)
    (restart,) = (step for step in result.steps if step.kind == "RESTART")
    assert restart.alone
    assert result.lost.none


def test_a_restart_heard_on_one_channel_only() -> None:
    source = Source()
    came = [each for each in source.run(137) if each.vcid == LANDER]
    source.restart()
    came += [each for each in source.run(50) if each.vcid == LANDER]
    result = count(came)
    assert (result.lost.count, result.restarts) == (0, 1)


def test_several_restarts_are_several() -> None:
    source, came = Source(), []
    for ticks in (40, 35, 300, 50):
        came += source.run(ticks)
        source.restart(pause=11_000)
    result = count(came)
    assert (result.lost.count, result.restarts) == (0, 3)


def test_a_loss_over_the_end_of_two_equal_counts_is_a_loss() -> None:
    """Where a channel sends alone VCFC and MCFC are the same: 250 → 3 on both is a loss of eight."""
    source = Source()
    sent = source.alone(LANDER, 300, 100)
    for time in (False, True):
        result = count([*sent[:251], *sent[259:]], time=time)
        assert (result.lost, result.restarts) == (Lost(8), 0)
    result = count([without_packets(each, idle=True) for each in (*sent[:251], *sent[259:])], time=False, ert=False)
    assert (result.lost.count, result.restarts) == (8, 0)


def test_an_odd_time_neither_loses_nor_restarts() -> None:
    for time in (-378_691_200_000, 4_000_000_000_000):
        source = Source()
        came = source.run(50)
        came[30] = replace(came[30], time=time)
        assert count(came).kinds("NEXT") == ["FIRST", "FIRST"]
        result = count(came[:27] + came[30:])
        assert (result.lost, result.restarts) == (Lost(3), 0)


def test_a_clock_that_is_set_is_believed_from_the_second_frame() -> None:
    source = Source()
    came = source.run(50)
    source.time += 3_600_000
    came += source.run(50)
    assert count(came).lost.none
    source.run(10)
    came += source.run(30)
    assert count(came).lost == Lost(11)


@pytest.mark.parametrize("master", [False, True])
def test_counters_that_stand_still_lose_nothing(master: bool) -> None:
    counter = FrameCounter(TM)
    kinds = []
    for n in range(20):
        data = encode_packet(0x101, n, bytes([n]) * 109)
        kinds.append(counter.count(TmFrame(6, 0, n if master else 0, 7, 0, data, None)).kind)
    assert kinds == ["FIRST"] + ["STILL"] * 19
    assert counter.restarts == 0


def test_a_count_that_steps_back_while_time_goes_on_is_no_loss() -> None:
    source = Source()
    came = source.run(50)
    source.counts[LANDER] -= 5
    came += source.run(50)
    result = count(came)
    assert result.lost.none
    assert (result.number("BACK"), result.restarts) == (1, 0)


def starts(frame: TransferFrame) -> bool:
    return frame.data.startswith(b"BOOT")


def boot(count_: int) -> TmFrame:
    return TmFrame(6, BUS, count_, count_, ONLY_IDLE, b"BOOT".ljust(116, b"\0"), None)


def test_a_report_of_a_start_needs_counters_that_begin_again() -> None:
    counter = FrameCounter(TM, starts=starts)
    steps = [counter.count(boot(n), None, n * 1000 * MS).kind for n in (0, 1, 2, 5, 6)]
    assert steps == ["FIRST", "NEXT", "NEXT", "GAP", "NEXT"]
    assert counter.count(boot(0), None, 8000 * MS).kind == "RESTART"


def test_a_boot_loop_is_as_many_restarts_and_no_duplicates() -> None:
    counter = FrameCounter(TM, starts=starts)
    steps = [counter.count(boot(0), None, n * 2000 * MS).kind for n in range(4)]
    assert steps == ["FIRST", "RESTART", "RESTART", "RESTART"]
    assert counter.count(boot(0), None, 6000 * MS).kind == "DUPLICATE"


def test_frames_overtaken_by_a_restart_are_late_and_no_loss() -> None:
    source = Source()
    came = source.run(300)
    source.restart()
    came += source.run(100)
    place = next(n for n, each in enumerate(came) if each.life == 1)
    came[place - 1], came[place] = came[place], came[place - 1]
    result = count(came)
    assert (result.lost.count, result.restarts, result.number("LATE")) == (0, 1, 1)


def test_the_24_bit_count_of_aos_turns_over_without_loss() -> None:
    counter = FrameCounter(AOS)
    kinds = [
        counter.count(AosFrame(6, 0, n % AOS, 0, encode_packet(1, n % AOS & 0x3FFF, bytes(50)), None))
        for n in range(AOS - 3, AOS + 3)
    ]
    assert [step.kind for step in kinds] == ["FIRST"] + ["NEXT"] * 5
    assert counter.count(AosFrame(6, 0, 45, 0, encode_packet(1, 45, bytes(50)), None)).lost == Lost(42)


def test_what_is_missing_at_a_restart_is_told_apart() -> None:
    """The bus starts at once, the lander much later, and the link is interrupted until then."""
    source = Source()
    came = source.run(300)
    source.restart()
    alone = source.alone(BUS, 100, 1000)
    came += alone[:20]
    came += source.run(30)
    result = count(came)
    assert result.restarts == 1
    assert sum(step.lost.count for step in result.steps) == 0
    assert [step.at_restart.count for step in result.steps if not step.at_restart.none] == [80]


def test_memory_is_bounded_whatever_comes() -> None:
    counter = FrameCounter(AOS)
    chance = Random(1)
    for _ in range(5000):
        vcfc = chance.randrange(AOS)
        counter.count(AosFrame(6, chance.randrange(64), vcfc, 0, chance.randbytes(20), None), chance.randrange(1 << 60))


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32), aos=st.booleans(), time=st.booleans(), ert=st.booleans())
def test_any_mixture_of_losses_duplicates_and_late_frames(seed: int, aos: bool, time: bool, ert: bool) -> None:
    chance = Random(seed)
    came = disturb(chance, Source(aos).run(chance.randrange(30, 900)))
    result = count(came, time=time, ert=ert)
    lost, again, _ = truth(came) if came else (0, 0, 0)
    assert (result.number("DUPLICATE"), result.restarts) == (again, 0)
    if time or result.lost.certainty == "EXACT":
        assert result.lost == Lost(lost)
    else:
        assert result.lost.count <= lost


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32), aos=st.booleans(), time=st.booleans())
def test_any_mixture_with_restarts(seed: int, aos: bool, time: bool) -> None:
    chance, source = Random(seed), Source(aos)
    sent: list[Sent] = []
    starts_at = []
    for _ in range(chance.randrange(1, 4)):
        sent += source.run(chance.randrange(120, 900))
        source.restart(pause=chance.choice([100, 1000, 30_000]))
        starts_at.append(len(sent))
    came = disturb(chance, sent, starts_at, longest=100)
    result = count(came, time=time)
    lost, again, restarts = truth(came)
    assert (result.lost.count, result.number("DUPLICATE"), result.restarts) == (lost, again, restarts)
