"""The way up: every state of a command, over a good channel, a bad one and none."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import get_args

import construct as c
import msgspec
import pytest

from groundstation.errors import CommandRefused
from groundstation.messages.commanding import FINAL_STATES, CommandUpdate, UplinkStatus
from groundstation.messages.wire import Telemetry
from groundstation.uplink.command_tracker import KEPT
from groundstation.uplink.service import Uplink, UplinkSettings
from protocols.ccsds.clcw import Clcw
from protocols.cop1 import DirectiveKind
from protocols.declare.commands import CommandDef
from protocols.declare.dictionary import Dictionary
from tests.groundstation.uplink.harness import MS, S, Spacecraft, UplinkHarness

DONE = ["QUEUED", "SENT", "ACCEPTED", "COMPLETED"]


def report_of(bench: UplinkHarness, number: int, packet: str) -> Telemetry:
    """What a spacecraft would report of a command."""
    values = {"request": bench.last(number).request or 0, "tick": 1}
    return Telemetry(packet=packet, apid=0x100, vcid=2, scet=0, ert=0, values=dict(values))


def test_a_command_goes_through_its_states() -> None:
    bench = UplinkHarness()
    bench.run(1)
    number = bench.submit("STEP", {"ticks": "5"})
    assert bench.states(number) == ["QUEUED", "SENT"]
    bench.run(1)
    assert bench.states(number) == DONE
    news = bench.last(number)
    assert (news.who, news.arguments, news.tick, news.attempt, news.delivered) == ("tester", {"ticks": 5}, 7, 1, True)
    assert [name for name, _ in bench.craft.done] == ["STEP"]
    assert [(t.kind, len(t.cltu)) for t in bench.written] == [("AD", 2 + 8 * 4 + 8)]


def test_bytes_of_a_command_are_told_in_hex() -> None:
    body = c.Struct("name" / c.PaddedString(4, "ascii"), "key" / c.Bytes(2))
    load = CommandDef("LOAD", 0x20, 6, 2, "Load a table.", arguments=body)
    uplink = Uplink(Dictionary("M", 1, (), (), (), (), (load,)))
    uplink.link(True, "open", 0)
    _, outcomes = uplink.submit("LOAD", {"name": "wren", "key": "0x00FF"}, "tester", 0, bypass=True)
    (queued,) = (each for each in outcomes if isinstance(each, CommandUpdate) and each.state == "QUEUED")
    assert queued.arguments == {"name": "wren", "key": "00ff"}
    with pytest.raises(CommandRefused, match=r"LOAD\.key is '00': expected 2 bytes, in hex"):
        uplink.submit("LOAD", {"name": "wren", "key": "00"}, "tester", 0)


def test_sent_is_not_acknowledged() -> None:
    bench = UplinkHarness(Spacecraft(mute=True))
    bench.run(1)
    number = bench.submit("HOLD")
    bench.run(12)
    assert bench.states(number) == ["QUEUED", "SENT", "TIMEOUT"]
    assert bench.last(number).delivered
    assert "it arrived" in bench.last(number).detail
    assert len(bench.craft.done) == 1


@pytest.mark.parametrize("vr", [0, 1, 17, 255])
@pytest.mark.parametrize("silent", [False, True])
def test_any_v_r_and_a_spacecraft_on_hold(vr: int, silent: bool) -> None:
    """A station that was started again knows nothing of V(R); on hold no CLCW tells it before it asks."""
    bench = UplinkHarness(Spacecraft(vr, silent))
    numbers = [bench.submit("HOLD") for _ in range(3)]
    bench.run(3)
    assert [bench.states(number) for number in numbers] == [DONE] * 3
    assert [name for name, _ in bench.craft.done if name != "PING"] == ["HOLD"] * 3


def test_a_retransmission_asked_of_an_earlier_session_is_unlocked() -> None:
    bench = UplinkHarness(Spacecraft(5))
    bench.craft.farm.frame(False, False, 7, b"lost its predecessor")
    assert bench.craft.farm.clcw().retransmit
    bench.run(1)
    number = bench.submit("HOLD")
    bench.run(1)
    assert bench.states(number) == DONE
    assert [t.kind for t in bench.written] == ["BC", "AD"]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("silent", [False, True])
def test_a_channel_that_loses_a_fifth_both_ways(seed: int, silent: bool) -> None:
    bench = UplinkHarness(Spacecraft(3, silent), loss=0.2, seed=seed)
    bench.run(1)
    pings = []
    for _ in range(10):
        pings.append(bench.submit("PING", timeout=60 * S))
        bench.run(0.2)
    bench.run(60)
    assert [bench.states(number)[-1] for number in pings] == ["COMPLETED"] * 10


def test_a_lost_frame_is_sent_again_and_its_followers_with_it() -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.craft.deaf = True
    numbers = [bench.submit("HOLD"), bench.submit("RESUME")]
    bench.craft.deaf = False
    numbers.append(bench.submit("HOLD"))
    bench.run(1)
    assert [bench.states(number) for number in numbers] == [DONE] * 3
    assert [t.transfer for t in bench.written] == [1, 2, 3, 1, 2, 3]
    assert [bench.last(number).attempt for number in numbers] == [1, 1, 1]


@pytest.mark.parametrize("seed", range(20))
def test_over_a_bad_channel_a_command_is_carried_out_once_and_in_order(seed: int) -> None:
    bench = UplinkHarness(Spacecraft(3), loss=0.2, seed=seed)
    bench.run(1)
    ticks = list(range(1, 21))
    for number in ticks:
        bench.submit("STEP", {"ticks": number}, timeout=60 * S)
        bench.run(0.3)
    bench.run(60)
    steps = [request for name, request in bench.craft.done if name == "STEP"]
    assert len(steps) == len(set(steps)) == 20
    assert steps == sorted(steps)
    updates = {u.command: u for u in bench.outcomes if isinstance(u, CommandUpdate) and u.name == "STEP"}
    assert all(u.delivered for u in updates.values())
    assert {u.state for u in updates.values()} <= {"COMPLETED", "ACCEPTED", "TIMEOUT"}


def test_repeats_are_for_those_who_ask() -> None:
    bench = UplinkHarness(Spacecraft(mute=True))
    bench.run(1)
    number = bench.submit("HOLD", repeats=2)
    bench.run(12)
    assert [name for name, _ in bench.craft.done] == ["HOLD"] * 3
    assert bench.last(number).attempt == 3


def test_the_spacecraft_refuses() -> None:
    bench = UplinkHarness(Spacecraft(failure="WRONG_STATE"))
    bench.run(1)
    number = bench.submit("RESUME")
    bench.run(1)
    assert bench.states(number) == ["QUEUED", "SENT", "FAILED"]
    assert bench.last(number).detail == "the spacecraft says WRONG_STATE"


def test_a_late_report_has_the_last_word() -> None:
    bench = UplinkHarness(Spacecraft(mute=True))
    bench.run(1)
    number = bench.submit("HOLD", timeout=1 * S)
    bench.run(2)
    assert bench.states(number)[-1] == "TIMEOUT"
    bench.craft.mute = False
    bench.craft.report("COMMAND_COMPLETED", bench.craft.done[0][1])
    bench.run(1)
    assert bench.states(number)[-1] == "COMPLETED"
    assert bench.last(number).detail == "reported after TIMEOUT"


def test_no_receiver() -> None:
    bench = UplinkHarness(Spacecraft(deaf=True))
    bench.run(1)
    first, second = bench.submit("HOLD", timeout=60 * S), bench.submit("RESUME", timeout=60 * S)
    bench.run(30)
    assert bench.states(first) == ["QUEUED", "SENT", "TIMEOUT"]
    assert bench.states(second) == ["QUEUED", "SENT", "TIMEOUT"]
    assert "may have arrived" in bench.last(first).detail
    assert len([t for t in bench.written if t.transfer == 1]) == 8
    assert "COP1_T1" in bench.events()
    bench.craft.deaf = False
    assert bench.states(bench.submit("HOLD")) == ["QUEUED", "SENT"]


def test_neither_heard_nor_answered() -> None:
    bench = UplinkHarness(Spacecraft(silent=True, deaf=True))
    number = bench.submit("HOLD")
    bench.run(11)
    assert bench.states(number) == ["QUEUED", "TIMEOUT"]
    assert bench.last(number).detail == "not sent: no CLCW came from the spacecraft"
    assert {t.kind for t in bench.written} == {"BD"}


def lock_out(bench: UplinkHarness) -> None:
    """Another sender's frame, far out of the window."""
    bench.craft.farm.frame(False, False, (bench.craft.farm.vr + 100) & 0xFF, b"x")
    assert bench.craft.farm.clcw().lockout


def test_lockout_is_shown_and_cleared_by_unlock() -> None:
    bench = UplinkHarness()
    bench.run(1)
    number = bench.submit("HOLD")
    bench.run(1)
    lock_out(bench)
    lost = bench.submit("RESUME")
    bench.run(1)
    assert bench.states(number) == DONE
    assert bench.states(lost) == ["QUEUED", "SENT", "FAILED"]
    assert "lockout" in bench.last(lost).detail
    assert bench.status.lockout
    assert {"LOCKOUT", "COP1_LOCKOUT"} <= set(bench.events())
    with pytest.raises(CommandRefused, match="lockout: groundstation cop unlock"):
        bench.submit("PING")
    bypassing = bench.submit("PING", bypass=True)
    bench.run(1)
    assert bench.states(bypassing) == DONE
    bench.take(bench.uplink.directive("INITIATE_WITH_UNLOCK", None, "tester", bench.now))
    bench.run(1)
    assert (bench.status.lockout, bench.status.cop) == (False, "ACTIVE")
    assert bench.events()[-2:] == ["LOCKOUT_CLEARED", "COP1_DIRECTIVE"]
    again = bench.submit("RESUME")
    bench.run(1)
    assert bench.states(again) == DONE


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("INITIATE_WITH_UNLOK", None, "did you mean 'INITIATE_WITH_UNLOCK'"),
        ("SET_WINDOW", 0, "range is 1 … 255"),
        ("SET_WINDOW", None, "needs a value"),
        ("TERMINATE", 3, "takes no value"),
        ("RESUME", None, "rejects RESUME while it is ACTIVE"),
        ("INITIATE", None, "terminate the service first"),
    ],
)
def test_directives_that_cannot_be(name: str, value: int | None, words: str) -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.submit("HOLD")
    bench.run(1)
    with pytest.raises(CommandRefused, match=words):
        bench.uplink.directive(name, value, "tester", bench.now)


def test_terminate_gives_up_what_is_under_way() -> None:
    bench = UplinkHarness(Spacecraft(deaf=True))
    bench.run(1)
    numbers = [bench.submit("HOLD") for _ in range(12)]
    bench.take(bench.uplink.directive("terminate", None, "tester", bench.now))
    assert [bench.states(n)[-1] for n in numbers] == ["FAILED"] * 12
    assert "may have arrived" in bench.last(numbers[0]).detail
    assert bench.last(numbers[-1]).detail.startswith("not sent")
    assert bench.status.cop == "INITIAL"


@pytest.mark.parametrize("bypass", [False, True])
@pytest.mark.parametrize("how", ["terminate", "link"])
def test_what_waits_for_the_port_and_is_given_up_is_never_written(how: str, bypass: bool) -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.take(bench.uplink.arm(60, "tester", bench.now))
    bench.held = []
    number = bench.submit("FIRE_RETROS", bypass=bypass)
    assert len(bench.held) == 1
    if how == "terminate":
        bench.take(bench.uplink.directive("terminate", None, "tester", bench.now))
    else:
        bench.take(bench.uplink.link(False, "unplugged", bench.now))
        bench.take(bench.uplink.link(True, "open", bench.now))
    bench.release()
    bench.run(2)
    if how == "terminate" and bypass:  # which is no matter of the AD service
        assert bench.states(number) == DONE
        return
    assert bench.states(number) == ["QUEUED", "FAILED"]
    assert bench.last(number).detail.startswith("not sent")
    assert bench.craft.done == []
    again = bench.submit("HOLD")
    bench.run(1)
    assert bench.states(again) == DONE


def test_what_is_being_written_when_it_is_given_up_may_have_been_sent() -> None:
    """And the next session does not begin with a V(R) that this frame may still move."""
    bench = UplinkHarness()
    bench.run(1)
    bench.held = []
    number = bench.submit("HOLD")
    (writing,) = bench.held
    assert bench.uplink.begin(writing)
    bench.take(bench.uplink.directive("terminate", None, "tester", bench.now))
    assert bench.states(number) == ["QUEUED", "FAILED"]
    assert bench.last(number).detail == "the service was terminated; it may have been sent"
    bench.held = None
    later = bench.submit("STEP", {"ticks": 3})
    bench.run(0.5)
    assert bench.states(later) == ["QUEUED"]
    bench.craft.receive(writing.cltu)
    bench.take(bench.uplink.written(writing, bench.now))
    bench.run(2)
    assert bench.states(later) == DONE
    assert [name for name, _ in bench.craft.done if name != "PING"] == ["HOLD", "STEP"]


@pytest.mark.parametrize("how", ["terminate", "link", "unlock"])
def test_a_suspended_service_can_be_ended(how: str) -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.take(bench.uplink.directive("SET_TIMEOUT_TYPE", 1, "tester", bench.now))
    bench.craft.deaf = True
    lost = bench.submit("HOLD", timeout=60 * S)
    bench.run(15)
    assert bench.status.cop == "SUSPENDED"
    bench.craft.deaf = False
    if how == "link":
        bench.take(bench.uplink.link(False, "unplugged", bench.now))
        bench.take(bench.uplink.link(True, "open", bench.now))
    else:
        bench.take(bench.uplink.directive(how, None, "tester", bench.now))
    assert bench.states(lost) == ["QUEUED", "SENT", "FAILED"]
    assert bench.status.unacknowledged == 0
    bench.run(1)
    again = bench.submit("HOLD")
    bench.run(1)
    assert bench.states(again) == DONE


@pytest.mark.parametrize("name", ["unlock", "initiate", "resume"])
def test_nothing_is_initiated_while_the_link_is_down(name: str) -> None:
    bench = UplinkHarness(connected=False)
    with pytest.raises(CommandRefused, match="nothing can be sent"):
        bench.uplink.directive(name, None, "tester", bench.now)


def test_what_is_accepted_while_its_repetition_waits_is_not_sent_again() -> None:
    bench = UplinkHarness(Spacecraft(mute=True))
    bench.run(1)
    number = bench.submit("STEP", {"ticks": 3}, repeats=5, bypass=True)
    bench.run(1)
    bench.held = []
    bench.submit("PING", bypass=True, repeats=0)  # the port is busy with it
    bench.run(1)
    assert (bench.status.waiting, bench.states(number)) == (1, ["QUEUED", "SENT"])
    bench.take(bench.uplink.report(report_of(bench, number, "COMMAND_ACCEPTED"), bench.now))
    bench.release()
    bench.run(3)
    assert [name for name, _ in bench.craft.done].count("STEP") == 1


def test_what_was_accepted_is_not_sent_again() -> None:
    bench = UplinkHarness(Spacecraft(mute=True))
    bench.run(1)
    number = bench.submit("STEP", {"ticks": 3}, repeats=5)
    bench.take(bench.uplink.report(report_of(bench, number, "COMMAND_ACCEPTED"), bench.now))
    bench.run(5)
    assert len(bench.craft.done) == 1
    assert bench.states(number) == ["QUEUED", "SENT", "ACCEPTED"]


REFUSALS = [
    ("STEP", {"ticks": 10**400}, "expected a number"),
    ("STEP", {"ticks": "0x" + "f" * 5000}, "expected a number"),
    ("STEP", {"ticks": "1" * 5000}, "expected a number"),
    ("SCALE", {"factor": 10**400}, "expected a number"),
    ("PONG", {}, "did you mean 'PING'"),
    ("STEP", {}, "STEP.ticks is missing: 1 … 10000 tick"),
    ("STEP", {"tick": 3}, "did you mean 'ticks'"),
    ("STEP", {"ticks": 0}, "the range is 1 … 10000"),
    ("STEP", {"ticks": "many"}, "expected a number"),
    ("STEP", {"ticks": 2.5}, "expected a whole number"),
    ("PING", {"x": 1}, "PING has no argument 'x'"),
    ("SELECT_PROFILE", {"profile": "HISTORIC"}, "did you mean 'HISTORICAL'"),
    ("TRANSMITTER", {"on": "maybe"}, "on, off"),
    ("FIRE_RETROS", {}, "is critical: arm the station first"),
]


@pytest.mark.parametrize(("name", "arguments", "words"), REFUSALS)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    name: str, arguments: dict[str, bool | int | float | str], words: str
) -> None:
    bench = UplinkHarness()
    bench.run(1)
    with pytest.raises(CommandRefused, match=words):
        bench.submit(name, arguments)
    bench.run(5)
    assert bench.written == []
    assert not [o for o in bench.outcomes if isinstance(o, CommandUpdate)]


@pytest.mark.parametrize(
    ("timeout", "repeats", "words"), [(1, None, "0.1 … 3600"), (5 * S, 101, "0 … 100"), (5 * S, -1, "0 … 100")]
)
def test_time_outs_and_repeats_have_a_range(timeout: int, repeats: int | None, words: str) -> None:
    with pytest.raises(CommandRefused, match=words):
        UplinkHarness().submit("PING", timeout=timeout, repeats=repeats)


def test_nothing_is_sent_over_a_link_that_is_not_there() -> None:
    bench = UplinkHarness(connected=False)
    with pytest.raises(CommandRefused, match="not open yet"):
        bench.submit("PING")
    bench.take(bench.uplink.link(True, "", bench.now))
    bench.run(1)
    bench.craft.deaf = True
    sent = bench.submit("HOLD")
    bench.take(bench.uplink.link(False, "unplugged", bench.now))
    assert bench.states(sent) == ["QUEUED", "SENT", "FAILED"]
    assert bench.last(sent).detail == "the link went down; it may have arrived"
    with pytest.raises(CommandRefused, match="unplugged"):
        bench.submit("PING")


def test_a_link_that_refuses_a_frame() -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.link_error = "takes no more"
    number = bench.submit("HOLD")
    assert bench.states(number) == ["QUEUED", "FAILED"]
    assert bench.last(number).detail == "not sent: takes no more"
    bypass = bench.submit("HOLD", bypass=True)
    assert bench.states(bypass) == ["QUEUED", "FAILED"]
    bench.link_error = ""
    bench.run(1)
    again = bench.submit("HOLD")
    bench.run(1)
    assert bench.states(again) == DONE


def test_the_queue_is_bounded() -> None:
    bench = UplinkHarness(Spacecraft(deaf=True, silent=True), settings=UplinkSettings(live=5))
    for _ in range(4):  # the fifth is the station's own PING
        bench.submit("HOLD")
    with pytest.raises(CommandRefused, match="5 commands are under way"):
        bench.submit("HOLD")
    bench.run(11)
    bench.submit("HOLD")


def test_arming_expires() -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.take(bench.uplink.arm(2, "tester", bench.now))
    assert (bench.status.armed_until, bench.status.armed_by) == (bench.now + 2 * S, "tester")
    fired = bench.submit("FIRE_RETROS")
    bench.run(2.1)
    assert bench.states(fired) == DONE
    assert bench.status.armed_until is None
    assert bench.events() == ["ARMED", "DISARMED"]
    with pytest.raises(CommandRefused, match="critical"):
        bench.submit("FIRE_RETROS")
    bench.take(bench.uplink.arm(60, "tester", bench.now))
    bench.take(bench.uplink.arm(0, "tester", bench.now))
    with pytest.raises(CommandRefused, match="critical"):
        bench.submit("FIRE_RETROS")
    for seconds in (-1, 601, float("nan")):
        with pytest.raises(CommandRefused, match="0 … 600"):
            bench.uplink.arm(seconds, "tester", bench.now)


def test_a_critical_command_does_not_outwait_its_arming() -> None:
    bench = UplinkHarness(Spacecraft(silent=True, deaf=True))
    bench.take(bench.uplink.arm(2, "tester", bench.now))
    number = bench.submit("FIRE_RETROS")
    bench.run(3)
    bench.craft.deaf = False
    bench.run(5)
    assert bench.states(number) == ["QUEUED", "FAILED"]
    assert "arming was over" in bench.last(number).detail
    assert "FIRE_RETROS" not in [name for name, _ in bench.craft.done]


def test_a_clcw_that_cannot_be_ends_the_service() -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.submit("HOLD")
    bench.run(1)
    assert bench.status.cop == "ACTIVE"
    bench.take(bench.uplink.ocf(b"\x02\0\0\0", bench.now))
    assert bench.status.cop == "INITIAL"
    assert bench.events()[-1] == "COP1_CLCW"


@pytest.mark.parametrize(
    "ocf",
    [b"\x80\0\0\0", b"\xff\xff\xff\xff", b"\x81\0\0\x07", b"\x02\x0c\0\0", b"\x61\xfc\0\x07"],
    ids=["type 2", "type 2 of ones", "type 2 like a CLCW", "VC3, not COP-1", "VC63, version 3"],
)
def test_an_ocf_that_is_no_clcw_of_this_channel_is_passed_over(ocf: bytes) -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.submit("HOLD")
    bench.run(1)
    before = bench.status
    bench.take(bench.uplink.ocf(ocf, bench.now))
    assert bench.status == before
    number = bench.submit("RESUME")
    bench.run(1)
    assert bench.states(number) == DONE


@pytest.mark.parametrize("bypass", [False, True])
@pytest.mark.parametrize("first", ["link", "report", "CLCW", "report and CLCW"])
def test_any_order_of_link_and_spacecraft_gives_the_same_states(first: str, bypass: bool) -> None:
    """A write is another thread's: its answer may come when the spacecraft has spoken of the command already."""
    bench = UplinkHarness()
    bench.run(1)
    bench.held = []
    number = bench.submit("STEP", {"ticks": 3}, bypass=bypass)
    (writing,) = bench.held
    bench.held = None
    assert bench.uplink.begin(writing)
    bench.craft.receive(writing.cltu)
    answer = bench.craft.send(due=True)
    assert answer is not None
    ocf, reports = answer
    if first == "link":
        bench.take(bench.uplink.written(writing, bench.now))
    if first != "report":
        bench.take(bench.uplink.ocf(ocf, bench.now))
    if first != "CLCW":
        for report in reports:
            bench.take(bench.uplink.report(report, bench.now))
    if first != "link":
        bench.take(bench.uplink.written(writing, bench.now))
    if first == "report":
        bench.take(bench.uplink.ocf(ocf, bench.now))
    if first == "CLCW":
        for report in reports:
            bench.take(bench.uplink.report(report, bench.now))
    bench.run(2)
    assert bench.states(number) == DONE
    ((_, request),) = bench.craft.done
    told = [u for u in bench.outcomes if isinstance(u, CommandUpdate) and u.command == number and u.state != "QUEUED"]
    assert {u.request for u in told} == {request}
    assert bench.last(number).attempt == 1
    assert bench.status.unacknowledged == 0


def test_a_late_report_of_a_command_given_up_names_its_request() -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.held = []
    number = bench.submit("HOLD")
    (writing,) = bench.held
    bench.held = None
    assert bench.uplink.begin(writing)
    bench.take(bench.uplink.directive("terminate", None, "tester", bench.now))
    bench.craft.receive(writing.cltu)
    bench.run(1)
    assert bench.states(number) == ["QUEUED", "FAILED", "ACCEPTED", "COMPLETED"]
    ((_, request),) = bench.craft.done
    assert bench.last(number).request == request


def test_a_report_of_the_first_attempt_is_none_of_the_second() -> None:
    bench = UplinkHarness(Spacecraft(mute=True))
    bench.run(1)
    number = bench.submit("HOLD", bypass=True, repeats=1)
    first = report_of(bench, number, "COMMAND_ACCEPTED")
    bench.held = []
    bench.run(3)
    (again,) = [t for t in bench.held if t.transfer is not None]
    assert bench.uplink.begin(again)
    bench.take(bench.uplink.report(first, bench.now))
    assert (bench.last(number).state, bench.last(number).attempt) == ("ACCEPTED", 1)
    bench.take(bench.uplink.written(again, bench.now))
    assert (bench.last(number).state, bench.last(number).attempt) == ("ACCEPTED", 2)


def test_other_channels_and_replays_do_not_matter() -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.take(bench.uplink.ocf(Clcw(vcid=3, lockout=True).encode(), bench.now))
    assert not bench.status.lockout
    bench.craft.mute = True
    number = bench.submit("HOLD")
    report = report_of(bench, number, "COMMAND_COMPLETED")
    bench.take(bench.uplink.report(msgspec.structs.replace(report, replay=True), bench.now))
    assert bench.states(number) == ["QUEUED", "SENT"]
    bench.take(bench.uplink.report(report, bench.now))
    assert bench.states(number)[-1] == "COMPLETED"


def test_no_contact_for_long_terminates() -> None:
    bench = UplinkHarness()
    bench.run(1)
    bench.submit("HOLD")
    bench.run(1)
    bench.craft.silent = True
    bench.run(31)
    assert bench.status.cop == "INITIAL"
    assert bench.events()[-1] == "COP1_TERM"
    number = bench.submit("RESUME")
    bench.run(1)
    assert bench.states(number) == DONE


def test_status_is_told_on_change_and_once_a_second() -> None:
    bench = UplinkHarness()
    bench.run(10)
    told = [o for o in bench.outcomes if isinstance(o, UplinkStatus)]
    assert 10 <= len(told) <= 14


def test_old_commands_are_forgotten() -> None:
    """A late report changes only the last ones."""
    bench = UplinkHarness(Spacecraft(mute=True))
    bench.run(1)
    for _ in range(KEPT + 20):
        bench.submit("HOLD", timeout=S // 10)
        bench.run(0.2)
    requests = [request for _, request in bench.craft.done]
    bench.craft.mute = False
    for request in (requests[19], requests[20]):
        bench.craft.report("COMMAND_COMPLETED", request)
    bench.run(1)
    assert len(requests) == KEPT + 20
    assert [bench.states(number)[-1] for number in (20, 21)] == ["TIMEOUT", "COMPLETED"]


def test_the_deadline_tells_when_something_is_due() -> None:
    bench = UplinkHarness(Spacecraft(deaf=True))
    assert bench.uplink.deadline is None
    bench.run(1)
    bench.submit("HOLD", timeout=400 * MS)
    assert bench.uplink.deadline == bench.now + 400 * MS


LEGAL = {
    "QUEUED": {"SENT", "FAILED", "TIMEOUT", "ACCEPTED", "COMPLETED"},
    "SENT": {"SENT", "ACCEPTED", "COMPLETED", "FAILED", "TIMEOUT"},
    "ACCEPTED": {"ACCEPTED", "COMPLETED", "FAILED", "TIMEOUT"},
    "COMPLETED": {"COMPLETED"},
    "FAILED": {"FAILED", "ACCEPTED", "COMPLETED"},
    "TIMEOUT": {"TIMEOUT", "ACCEPTED", "COMPLETED", "FAILED"},
}
DIRECTIVES = [*get_args(DirectiveKind), "UNLOCK"]


def disturb(bench: UplinkHarness, random: Random) -> None:
    """One thing that may happen to a station, at any time."""
    craft, kind = bench.craft, random.randrange(14)
    if kind < 5:
        name = random.choice(["HOLD", "STEP", "PING", "FIRE_RETROS"])
        bypass, repeats = random.random() < 0.2, random.choice([None, 0, 2])
        timeout = random.choice([500 * MS, 5 * S, 20 * S])
        bench.submit(name, {"ticks": 3} if name == "STEP" else {}, bypass=bypass, repeats=repeats, timeout=timeout)
    elif kind == 5:
        value = random.choice([None, 0, 1, 7, 300])
        bench.take(bench.uplink.directive(random.choice(DIRECTIVES), value, "tester", bench.now))
    elif kind == 6:
        bench.take(bench.uplink.arm(random.choice([0, 3]), "tester", bench.now))
    elif kind == 7:
        bench.take(bench.uplink.link(random.random() < 0.7, "flapping", bench.now))
    elif kind == 8:
        bench.take(bench.uplink.ocf(random.randbytes(4), bench.now))
    elif kind == 9:
        craft.farm.frame(False, False, random.randrange(256), b"another sender's")
    elif kind == 10:
        craft.silent, craft.deaf, craft.mute = (random.random() < 0.3 for _ in range(3))
    elif kind == 11:
        bench.link_error = random.choice(["", "", "no room"])
    elif bench.held is None:
        bench.held = []  # the port takes nothing for a while
    else:
        bench.release()


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_every_command_ends_and_none_is_in_two_minds(seed: int) -> None:
    random = Random(seed)
    bench = UplinkHarness(Spacecraft(random.randrange(256)), loss=random.choice([0.0, 0.2, 0.6]), seed=seed)
    for _ in range(120):
        with suppress(CommandRefused):
            disturb(bench, random)
        bench.run(random.choice([0.05, 0.3, 2]))
    bench.release()
    bench.run(120)
    states: dict[int, str] = {}
    for update in (o for o in bench.outcomes if isinstance(o, CommandUpdate)):
        before = states.get(update.command)
        assert update.previous == before
        assert before is None or update.state in LEGAL[before]
        states[update.command] = update.state
    assert set(states.values()) <= set(FINAL_STATES)
    assert bench.status.waiting == 0


@pytest.mark.parametrize("seed", range(10))
def test_after_any_trouble_an_unlock_brings_commanding_back(seed: int) -> None:
    random = Random(seed)
    bench = UplinkHarness(Spacecraft(random.randrange(256)), loss=0.2, seed=seed)
    for _ in range(60):
        with suppress(CommandRefused):
            disturb(bench, random)
        bench.run(0.3)
    bench.release()
    bench.craft.silent = bench.craft.deaf = bench.craft.mute = False
    bench.link_error, bench.loss = "", 0.0
    bench.take(bench.uplink.link(False, "replugged", bench.now))
    bench.take(bench.uplink.link(True, "replugged", bench.now))
    for directive, value in (("SET_WINDOW", 8), ("SET_T1", 1500 * MS), ("SET_LIMIT", 8), ("SET_TIMEOUT_TYPE", 0)):
        bench.take(bench.uplink.directive(directive, value, "tester", bench.now))
    bench.run(1)
    bench.take(bench.uplink.directive("UNLOCK", None, "tester", bench.now))
    bench.run(3)
    number = bench.submit("HOLD")
    bench.run(3)
    assert bench.states(number) == DONE


@pytest.mark.parametrize(
    ("directive", "value", "words"),
    [
        ("SET_T1", 100 * MS - 1, "SET_T1 is 99999999: the range is 100000000 … 9223372036854775807"),
        ("SET_T1", -1, "SET_T1 is -1: the range"),
        ("SET_WINDOW", 0, "SET_WINDOW is 0: the range is 1 … 255"),
        ("SET_LIMIT", None, "SET_LIMIT needs a value"),
        ("TERMINATE", 1, "TERMINATE takes no value"),
    ],
)
def test_a_directive_with_a_value_that_cannot_be_is_refused(directive: str, value: int | None, words: str) -> None:
    """T1 no shorter than two looks of the station at its clock."""
    bench = UplinkHarness(Spacecraft(1))
    with pytest.raises(CommandRefused, match=words):
        bench.uplink.directive(directive, value, "tester", bench.now)
    bench.take(bench.uplink.directive("SET_T1", 100 * MS, "tester", bench.now))
