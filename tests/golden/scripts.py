"""The commanded runs to which every lander is held, as ticks and uplink bytes.

An entry's tick is the number of calls of ``step`` before it comes. Every run begins in READY.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.tc_frame import SetVr, Unlock
from protocols.declare.commands import Argument
from tests.hil.lander.uplink import NONE, ad, bc, bd, command, packet, sealed


@dataclass(frozen=True, slots=True)
class Entry:
    """Bytes that come up, when, and what they are."""

    tick: int
    what: str
    data: bytes


class Script:
    """Entries in the making; frames of type AD count on."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._ns = 0

    def send(self, tick: int, name: str, acknowledge: int = 9, **values: Argument) -> None:
        """A command in a frame of type AD."""
        number = len(self.entries)
        frame = ad(self._ns, packet(name, number, acknowledge, **values))
        self._ns = (self._ns + 1) & 0xFF
        self.raw(tick, " ".join([name, *map(str, values.values())]), encode_cltu(frame))

    def raw(self, tick: int, what: str, data: bytes) -> None:
        self.entries.append(Entry(tick, what, data))


def clock() -> list[Entry]:
    """The mission clock and the lander's switches, up to a second descent that is cut off by the pass's end."""
    s = Script()
    s.send(0, "PING")
    s.send(0, "HOLD")
    s.send(2, "SCALE", factor=2.5)
    s.send(3, "FRAME_RATE", period=2)
    s.send(5, "START")
    s.send(17, "PING")
    s.send(20, "HOLD")
    s.send(20, "RESUME")
    s.send(25, "RESUME")
    s.send(30, "HOLD")
    s.send(31, "PING", NONE)
    s.send(31, "REQUEST_HK")
    s.send(35, "STEP", ticks=7)
    s.send(38, "STEP", ticks=3)
    s.send(60, "STEP", ticks=900)
    s.send(500, "HOLD")
    s.send(965, "RESUME")
    s.send(1000, "FRAME_RATE", period=1)
    s.send(1005, "REQUEST_HK")
    s.send(1010, "TRANSMITTER", on=False)
    s.send(1011, "REQUEST_HK")
    s.send(1100, "DEPLOY_PARACHUTE")
    s.send(1234, "TRANSMITTER", on="on")
    s.send(1300, "FRAME_RATE", period=7)
    s.send(1400, "FRAME_RATE", period=100)
    for _ in range(3):
        s.send(1500, "REQUEST_HK")
    s.send(1900, "FRAME_RATE", period=1)
    s.send(2000, "DEPLOY_PARACHUTE")
    s.send(2000, "DEPLOY_PARACHUTE")
    s.send(2100, "FIRE_RETROS")
    s.send(3300, "SCALE", acknowledge=1, factor=0.1)
    s.send(3350, "HOLD")
    s.send(3351, "RESET")
    s.send(3352, "START", acknowledge=8)
    s.send(4300, "RESET", acknowledge=8)
    s.send(4300, "START")
    s.send(4300, "PING")
    return s.entries


def soft_landing() -> list[Entry]:
    """To the ground and on, with a profile that is chosen too late once."""
    s = Script()
    s.send(0, "SELECT_PROFILE", profile="SOFT_LANDING")
    s.send(1, "START")
    s.send(100, "SELECT_PROFILE", profile="HISTORICAL")
    s.send(3000, "FIRE_RETROS")
    s.send(3131, "FIRE_RETROS")
    s.send(3140, "DEPLOY_PARACHUTE")
    s.send(4000, "FRAME_RATE", period=10)
    s.send(4560, "PING")
    return s.entries


def retros() -> list[Entry]:
    """Retrorockets by command, and the fall that follows."""
    s = Script()
    s.send(0, "START")
    s.send(3085, "FIRE_RETROS")
    s.send(3086, "FIRE_RETROS")
    return s.entries


def faults() -> list[Entry]:
    """Every fault of the chip, alone and together, replaced and cleared."""
    s = Script()
    s.send(0, "INJECT_FAULT", fault="STUCK_WORDS", level=50, seed=1)
    s.send(0, "START")
    s.send(1000, "INJECT_FAULT", fault="FLIPS_BEFORE_CRC", level=100, seed=2)
    s.send(1100, "CLEAR_FAULTS", fault="STUCK_WORDS")
    s.send(1200, "INJECT_FAULT", fault="FLIPS_AFTER_CRC", level=30, seed=0)
    s.send(1300, "CLEAR_FAULTS", fault="ALL")
    s.send(1400, "INJECT_FAULT", fault="BOND", level=100, seed=0xFFFFFFFF)
    s.send(1700, "TRANSMITTER", on=False)
    s.send(1750, "TRANSMITTER", on=True)
    s.send(1900, "INJECT_FAULT", fault="BOND", level=1, seed=7)
    s.send(2000, "INJECT_FAULT", fault="STUCK_WORDS", level=100, seed=0x12345678)
    s.send(2000, "INJECT_FAULT", fault="FLIPS_BEFORE_CRC", level=1, seed=0)
    s.send(2000, "INJECT_FAULT", fault="FLIPS_AFTER_CRC", level=1, seed=9)
    s.send(2200, "CLEAR_FAULTS", fault="BOND")
    s.send(2300, "RESET")
    s.send(2301, "START")
    return s.entries


def bad_input() -> list[Entry]:
    """What is refused, dropped, out of sequence or too much; in every mode."""
    s = Script()
    for tick in (0, 30):
        _refused(s, tick)
        _dropped(s, tick)
        if tick == 0:
            s.send(1, "START")
    _busy(s, 950)
    _farm(s, 1000)
    s.send(1100, "HOLD")
    _refused(s, 1101)
    _dropped(s, 1102)
    s.raw(1103, "two commands in one CLTU", encode_cltu(bd(packet("PING", 1)) + bd(packet("PING", 2))))
    s.raw(1104, "half a CLTU", command("RESUME")[:20])
    s.raw(1110, "the other half", command("RESUME")[20:])
    return s.entries


def held() -> list[Entry]:
    """Every command but RESET, flown by STEP alone: the same bytes on a machine that keeps its own time."""
    s = Script()
    s.raw(0, "START and HOLD in one CLTU", encode_cltu(bd(packet("START", 1)) + bd(packet("HOLD", 2))))
    calls = 1

    def step(ticks: int) -> None:
        nonlocal calls
        s.send(calls, "STEP", ticks=ticks)
        calls += ticks

    def send(name: str, acknowledge: int = 9, **values: Argument) -> None:
        nonlocal calls
        s.send(calls, name, acknowledge, **values)
        calls += 1

    send("PING")
    send("START")
    send("SCALE", factor=1.5)
    send("SCALE", acknowledge=1, factor=2)
    step(900)
    send("REQUEST_HK")
    step(3)
    send("TRANSMITTER", on=False)
    send("REQUEST_HK", NONE)
    step(60)
    send("TRANSMITTER", on=True)
    send("DEPLOY_PARACHUTE")
    step(250)
    send("FRAME_RATE", period=7)
    step(300)
    s.raw(calls, "RESUME and HOLD in one CLTU", encode_cltu(bd(packet("RESUME", 3)) + bd(packet("HOLD", 4))))
    calls += 1
    send("FRAME_RATE", period=1)
    step(500)
    send("SELECT_PROFILE", profile="SOFT_LANDING")
    send("INJECT_FAULT", fault="STUCK_WORDS", level=50, seed=6)
    step(100)
    send("INJECT_FAULT", fault="FLIPS_AFTER_CRC", level=20, seed=1974)
    step(100)
    send("CLEAR_FAULTS", fault="ALL")
    send("FIRE_RETROS")
    step(860)
    send("FIRE_RETROS")
    step(150)
    send("PING", NONE)
    return s.entries


def _refused(s: Script, tick: int) -> None:
    ping = packet("PING", 100)
    frame_rate = packet("FRAME_RATE", 101, period=5)
    packets = {
        "a bad checksum": ping[:-1] + bytes([ping[-1] ^ 1]),
        "a packet of one byte": b"\x18",
        "a checksum alone": b"\xff\xff",
        "a packet longer than it says": sealed(ping[:-2] + b"\0"),
        "a PING with data": sealed(ping[:4] + b"\0\7" + ping[6:-2] + b"\0"),
        "another APID": sealed(b"\x19\x01" + ping[2:-2]),
        "telemetry": sealed(b"\x09\x00" + ping[2:-2]),
        "another PUS version": sealed(ping[:6] + b"\x19" + ping[7:-2]),
        "no such service": sealed(ping[:7] + b"\x12" + ping[8:-2]),
        "no such function": sealed(frame_rate[:11] + b"\x0f" + frame_rate[12:-2]),
        "no function": sealed(frame_rate[:4] + b"\0\6" + frame_rate[6:11]),
        "too few arguments": sealed(frame_rate[:4] + b"\0\7" + frame_rate[6:12]),
        "a period of 0": sealed(frame_rate[:12] + b"\0"),
        "a period of 101": sealed(frame_rate[:12] + b"\x65"),
        "a profile of 10": sealed(packet("SELECT_PROFILE", 102, profile=1)[:12] + b"\x0a"),
        "ON as 2": sealed(packet("TRANSMITTER", 103, on=True)[:12] + b"\2"),
    }
    for what, data in packets.items():
        s.raw(tick, what, encode_cltu(bd(data)))


def _dropped(s: Script, tick: int) -> None:
    ping = packet("PING", 200)
    frame = bd(ping)
    cltu = encode_cltu(frame)
    s.raw(tick, "another SCID", encode_cltu(bd(ping, scid=7)))
    s.raw(tick, "another VCID", encode_cltu(bd(ping, vcid=1)))
    s.raw(tick, "a bad FECF", encode_cltu(frame[:-1] + bytes([frame[-1] ^ 0x80])))
    s.raw(tick, "a frame longer than its CLTU", encode_cltu(frame[:3] + b"\xff" + frame[4:]))
    s.raw(tick, "one wrong bit", cltu[:5] + bytes([cltu[5] ^ 4]) + cltu[6:])
    s.raw(tick, "two wrong bits in the second codeblock", cltu[:12] + bytes([cltu[12] ^ 0x11]) + cltu[13:])
    s.raw(tick, "no tail", cltu[:-8])
    s.raw(tick, "noise", bytes(range(256)))
    s.raw(tick, "a CLTU too long", encode_cltu(frame * 5))
    s.raw(tick, "a command behind all that", cltu)


def _busy(s: Script, tick: int) -> None:
    for _ in range(12):
        s.raw(tick, "PING in a crowd", command("PING", 300))
    s.raw(tick, "a bad checksum in a crowd", encode_cltu(bd(packet("PING", 301)[:-1] + b"\0")))
    for n in range(40):
        s.raw(tick + 20, "a flood of nonsense", encode_cltu(bd(bytes([n]) * 14)))


def _farm(s: Script, tick: int) -> None:
    """V(R) is 1: START was the only frame of type AD."""
    ping = packet("PING", 400)
    frames = [
        ("AD 5: ahead, retransmit", ad(5, ping)),
        ("AD 255: behind", ad(255, ping)),
        ("AD 1", ad(1, ping)),
        ("AD 100: lockout", ad(100, ping)),
        ("AD 2 in lockout", ad(2, ping)),
        ("BD in lockout", bd(ping)),
        ("SET V(R) in lockout", bc(SetVr(77))),
        ("UNLOCK", bc(Unlock())),
        ("SET V(R) 77", bc(SetVr(77))),
        ("AD 77", ad(77, ping)),
        ("SET V(R) 1", bc(SetVr(1))),
    ]
    for n, (what, frame) in enumerate(frames):
        s.raw(tick + 3 * n, what, encode_cltu(frame))


def profile(name: str) -> list[Entry]:
    """A whole pass of a profile, with a seed of its own."""
    s = Script()
    s.send(0, "SELECT_PROFILE", NONE, profile=name)
    s.send(0, "SEED", NONE, seed=1974)
    s.send(0, "START", NONE)
    return s.entries


def early_parachutes() -> list[Entry]:
    """A soft landing under parachutes that are commanded early: the altimeter still fires the retrorockets in time."""
    s = Script()
    s.send(0, "SELECT_PROFILE", profile="SOFT_LANDING")
    s.send(1, "START")
    s.send(1_400, "DEPLOY_PARACHUTE")
    s.send(1_900, "DEPLOY_PARACHUTE")
    s.send(1_901, "DEPLOY_PARACHUTE")
    return s.entries


PROFILES = ("DEGRADED", "PARACHUTE_FAILS", "MAIN_FAILS", "CONE_STICKS", "RETROS_EARLY", "RETROS_LATE", "RETROS_NEVER")
"""Those with a run of their own; ALTIMETER_BLIND is flown with its retrorockets fired by command."""


def blind() -> list[Entry]:
    """Without an altimeter the retrorockets are commanded, too high: it comes down at 18 m/s."""
    s = Script()
    s.send(0, "SELECT_PROFILE", profile="ALTIMETER_BLIND")
    s.send(1, "START")
    s.send(3_080, "FRAME_RATE", period=7)
    s.send(3_113, "FIRE_RETROS")
    return s.entries


RUNS: dict[str, Callable[[], list[Entry]]] = {
    "clock": clock,
    "soft landing": soft_landing,
    "retros": retros,
    "faults": faults,
    "bad input": bad_input,
    "held": held,
    "early parachutes": early_parachutes,
    "blind": blind,
    **{name.lower().replace("_", " "): partial(profile, name) for name in PROFILES},
}
