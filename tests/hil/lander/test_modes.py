"""The spacecraft under command: the mission clock, and every command in every mode."""

from __future__ import annotations

import pytest

from hil.lander.modes import Mode
from hil.lander.spacecraft import Spacecraft
from hil.verdict.oracle import fly
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.tc_frame import Unlock
from protocols.lander import MARS6
from tests.hil.lander.test_commanding import ARGUMENTS
from tests.hil.lander.uplink import DONE, FAILED, NONE, Flight, ad, bc, bd, command, frames, packet, reports


def in_mode(mode: Mode) -> Flight:
    flight = Flight(start=mode is not Mode.READY)
    flight.step()
    if mode is Mode.HELD:
        flight.do("HOLD")
    assert flight.craft.mode is mode
    return flight


READY, RUNNING, HELD = Mode
ALWAYS = {READY, RUNNING, HELD}
ALLOWED = {
    "PING": ALWAYS,
    "START": {READY},
    "HOLD": {RUNNING},
    "RESUME": {HELD},
    "STEP": {HELD},
    "SCALE": ALWAYS,
    "RESET": ALWAYS,
    "TRANSMITTER": ALWAYS,
    "FRAME_RATE": ALWAYS,
    "REQUEST_HK": {RUNNING, HELD},
    "DEPLOY_PARACHUTE": {RUNNING, HELD},
    "FIRE_RETROS": set(),  # not armed
    "SELECT_PROFILE": {READY},
    "INJECT_FAULT": ALWAYS,
    "CLEAR_FAULTS": ALWAYS,
    "SELECT_SPAN": {READY},
    "SEED": {READY},
}


def test_every_command_of_the_mission_is_tried() -> None:
    assert set(ALLOWED) == {each.name for each in MARS6.commands}


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("name", list(ALLOWED))
def test_every_command_in_every_mode(name: str, mode: Mode) -> None:
    got = in_mode(mode).do(name, **ARGUMENTS.get(name, {}))
    want = DONE if mode in ALLOWED[name] else FAILED
    assert got == want + [("ALIVE", None)] * (name == "PING")


@pytest.mark.parametrize("again", [True, False])
def test_a_setting_that_is_so_already_is_completed(again: bool) -> None:
    flight = in_mode(READY)
    for name in ("TRANSMITTER", "FRAME_RATE", "SCALE", "SELECT_PROFILE", "CLEAR_FAULTS"):
        for _ in range(1 + again):
            assert flight.do(name, **ARGUMENTS[name]) == DONE


@pytest.mark.parametrize(
    ("acknowledge", "done", "failed"),
    [
        (0, [], ["FAILED"]),
        (1, ["ACCEPTED"], ["ACCEPTED", "FAILED"]),
        (8, ["COMPLETED"], ["FAILED"]),
        (6, [], ["FAILED"]),
        (15, ["ACCEPTED", "COMPLETED"], ["ACCEPTED", "FAILED"]),
    ],
)
def test_reports_are_sent_if_asked_for_and_failures_always(
    acknowledge: int, done: list[str], failed: list[str]
) -> None:
    flight = in_mode(HELD)
    assert [name for name, _ in reports(flight.send("CLEAR_FAULTS", acknowledge, fault=0))] == done
    assert [name for name, _ in reports(flight.send("START", acknowledge))] == failed
    bad = encode_cltu(bd(packet("PING", 3, acknowledge)[:-1] + b"\0"))
    assert reports(flight.hear(flight.craft.receive(bad))) == [("REFUSED", "BAD_CHECKSUM")]


def test_ready_flies_and_sends_nothing_until_start() -> None:
    flight = in_mode(READY)
    assert [flight.craft.step() for _ in range(20)] == [b""] * 20
    assert flight.craft.tick == 0
    told = flight.send("START")
    assert [each.values["tick"] for each in told] == [0, 0]
    assert flight.craft.mode is RUNNING
    assert {each.name for each in flight.step(11)} == {"BUS_HK", "MAGNETOMETER"}


def test_a_descent_does_not_depend_on_what_was_sent_before_it() -> None:
    craft = Spacecraft()
    for _ in range(300):
        craft.receive(command("PING") + command("STEP", ticks=3))
    craft.receive(command("START"))
    got = [frame for _ in range(1500) for frame in frames(craft.step())]
    fresh = Spacecraft()
    fresh.start()
    want = [frame for _ in range(1500) for frame in frames(fresh.step())]
    assert [(f.mcfc, f.vcfc, f.vcid, f.first_header_pointer) for f in got] == [
        (f.mcfc, f.vcfc, f.vcid, f.first_header_pointer) for f in want
    ]
    # All but the CLCW's count of type B frames is the same, and the command counters of LANDER_HK.
    differing = [a for a, b in zip(got, want, strict=True) if a.data != b.data]
    assert all(frame.vcid == 0 for frame in differing)
    assert 0 < len(differing) <= 2 * 62 + 2


def test_a_held_clock_costs_the_stream_nothing() -> None:
    """HOLD, RESUME and STEP only add their answers: the lander's frames are those of the plain descent."""
    flight, lander = Flight(), []
    for call in range(3300):
        if call == 1000:
            flight.craft.receive(command("HOLD", 0, NONE))
        if call == 1010:
            flight.craft.receive(command("STEP", 0, NONE, ticks=20))
        if call == 1060:
            flight.craft.receive(command("RESUME", 0, NONE))
        lander += [f.data for f in frames(flight.craft.step()) if f.vcid == 0]
    plain = [f.data for burst in fly() for f in frames(burst.data) if f.vcid == 0]
    different = [n for n, (a, b) in enumerate(zip(lander, plain, strict=True)) if a != b]
    # LANDER_HK counts the commands; it may reach into the next frame.
    assert all((880 + n) % 10 in (0, 1) and 880 + n >= 1000 for n in different)


def test_hold_keeps_its_tick_for_later_and_answers_at_once() -> None:
    flight = Flight()
    flight.to(25)
    assert flight.send("HOLD") == []
    told = flight.step()
    assert (reports(told), [each.values["tick"] for each in told]) == (DONE, [25, 25])
    assert (flight.craft.mode, flight.craft.tick) == (HELD, 25)
    assert flight.step(5) == []
    assert reports(flight.send("PING")) == [*DONE, ("ALIVE", None)]
    assert reports(flight.send("RESUME")) == DONE
    assert flight.step(6)[-1].values["tick"] == 30


def test_what_follows_a_hold_is_applied_in_the_new_mode() -> None:
    flight = Flight()
    flight.to(25)
    flight.craft.receive(command("PING") + command("HOLD") + command("STEP", ticks=2) + command("HOLD"))
    told = flight.step()
    assert reports(told) == [*DONE, ("ALIVE", None), *DONE, *DONE, *FAILED]
    assert {each.values["tick"] for each in told} == {25}
    assert (flight.craft.mode, flight.craft.tick) == (HELD, 26)
    flight.step(5)
    assert flight.craft.tick == 27


def test_hold_and_resume_together_lose_no_tick() -> None:
    flight = Flight()
    flight.to(25)
    flight.craft.receive(command("HOLD") + command("RESUME"))
    flight.step()
    assert (flight.craft.mode, flight.craft.tick) == (RUNNING, 26)


def test_step_replaces_what_is_left_of_an_earlier_one() -> None:
    flight = in_mode(HELD)
    flight.send("STEP", ticks=100)
    flight.step(10)
    assert flight.craft.mode is HELD
    flight.send("STEP", ticks=3)
    flight.step(50)
    assert flight.craft.tick == 14
    flight.send("STEP", ticks=100)
    flight.step(1)
    flight.send("RESUME")
    flight.step(5)
    assert (flight.craft.mode, flight.craft.tick) == (RUNNING, 20)


def test_scale_is_the_ports_and_survives_reset() -> None:
    flight = Flight()
    assert flight.craft.scale == 100
    flight.do("SCALE", factor=2.5)
    flight.do("RESET")
    assert flight.craft.scale == 250


def test_reset_answers_and_then_everything_is_as_at_power_on() -> None:
    craft = Spacecraft()
    craft.receive(command("SELECT_PROFILE", profile=1) + command("START"))
    settings = [
        command("FRAME_RATE", period=3),
        command("TRANSMITTER", on=False),
        command("INJECT_FAULT", fault="BOND", level=9, seed=1),
        command("DEPLOY_PARACHUTE"),
        command("DEPLOY_PARACHUTE"),
    ]
    for tick in range(1000):
        craft.receive(settings[tick // 100] if tick % 100 == 0 and tick < 500 else b"")
        craft.step()
    craft.receive(encode_cltu(ad(0, packet("RESET"))))
    answer = craft.step()
    assert answer
    assert (craft.mode, craft.tick) == (READY, 0)
    craft.start()
    stream = b"".join(craft.step() for _ in range(3300))
    got = frames(stream)
    assert {f.ocf[3] for f in got if f.ocf} == {1}
    plain = frames(b"".join(burst.data for burst in fly()))
    assert [f.data for f in got] == [f.data for f in plain]


def test_reset_then_start_in_one_breath_flies_tick_0_at_once() -> None:
    flight = Flight()
    flight.to(500)
    flight.craft.receive(command("RESET") + command("START") + command("PING"))
    told = flight.step()
    assert flight.craft.tick == 1
    told += flight.step()  # the last reports did not fit beside the measurement
    assert [(each.name, each.values["tick"]) for each in told] == [
        ("COMMAND_ACCEPTED", 500),
        ("COMMAND_COMPLETED", 500),
        ("COMMAND_ACCEPTED", 0),
        ("COMMAND_COMPLETED", 0),
        ("BUS_HK", 0),
        ("MAGNETOMETER", 0),
        ("COMMAND_ACCEPTED", 0),
        ("COMMAND_COMPLETED", 0),
        ("ALIVE", 0),
    ]


def test_eight_commands_wait_the_ninth_is_told_busy() -> None:
    flight = Flight()
    flight.to(21)
    for _ in range(10):
        assert flight.send("CLEAR_FAULTS", fault=0) == []
    told = flight.step(8)
    assert reports(told) == [("REFUSED", "BUSY")] * 2 + DONE * 8
    assert {each.values["tick"] for each in told if each.vcid == 2 and each.name != "BUS_HK"} == {21}


def test_commands_wait_for_nothing_while_the_clock_stands() -> None:
    flight = in_mode(HELD)
    for _ in range(20):
        assert reports(flight.send("CLEAR_FAULTS", fault=0)) == DONE


def test_a_flood_fills_the_queue_and_nothing_else() -> None:
    flight = Flight()
    flight.to(21)
    for _ in range(500):
        flight.craft.receive(encode_cltu(bd(bytes(14))))
    told = flight.step(18)
    assert reports(told) == [("REFUSED", "BAD_CHECKSUM")] * 32
    # The next report's sequence count tells of the 468 that were dropped.
    flight.send("PING")
    assert reports(flight.step(2)) == [*DONE, ("ALIVE", None)]
    assert flight.craft.tick == 41


def test_commands_after_the_pass_are_answered_and_reset_flies_again() -> None:
    flight = Flight()
    flight.to(3220)
    assert flight.craft.finished
    assert flight.step(5) == []
    assert flight.craft.mode is RUNNING
    told = flight.send("PING")
    assert [each.values["tick"] for each in told] == [3220] * 3
    assert reports(flight.send("RESET")) == DONE
    assert reports(flight.send("START")) == DONE
    assert [each.name for each in flight.step(21)].count("BUS_HK") == 3


def test_the_bus_answers_during_blackout_and_after_the_silence() -> None:
    for tick in (700, 3150):
        flight = Flight()
        flight.to(tick + 1)
        flight.send("PING")
        assert reports(flight.step(1)) == [*DONE, ("ALIVE", None)]


def test_unlock_acts_on_farm_1_and_is_seen_in_the_next_frame() -> None:
    craft = Spacecraft()
    craft.start()
    craft.step()
    assert craft.receive(encode_cltu(ad(100, packet("PING"))) + encode_cltu(bc(Unlock()))) == b""
    (frame,) = [f for _ in range(10) for f in frames(craft.step())]
    assert frame.ocf is not None
    assert frame.ocf[2] & 0x20 == 0
    assert frame.ocf[2] >> 1 & 3 == 1


def test_the_stream_depends_on_bytes_and_ticks_never_on_reads() -> None:
    uplink = b"".join(command(name) for name in ("HOLD", "PING")) + command("START") + command("PING")
    whole, pieces = Spacecraft(), Spacecraft()
    answer = b"".join(pieces.receive(bytes([byte])) for byte in uplink)
    assert whole.receive(uplink) == answer
    assert [whole.step() for _ in range(30)] == [pieces.step() for _ in range(30)]
