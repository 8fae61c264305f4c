"""By when a pass must be over, said by hand for some scenarios; and what is said of the target's last frame."""

from __future__ import annotations

import pytest

from hil.channel.frame_splitter import FrameSplitter
from hil.rigs.deadline import last_words, planned_seconds
from hil.scenario.scenario import parse_scenario
from protocols.profile import UART
from tests.hil.faults.streams import bursts

HEAD = '[scenario]\nid = "x"\n'


def fault(kind: str, at: str, span: str = "") -> str:
    return f'[[fault]]\nkind = "{kind}"\nat = {at}\n' + (f'for = "{span}"\n' if span else "")


def command(name: str, at: str, args: str = "") -> str:
    return f'[[command]]\nat = "{at}"\nname = "{name}"\n' + (f"args = {args}\n" if args else "")


@pytest.mark.parametrize(
    ("text", "speed", "seconds"),
    [
        ("", 1, 322),
        ("", 20, 16.1),
        ('profile = "soft-landing"', 10, 126),
        ('profile = "parachute-fails"', 10, 25.86),
        ('profile = "main-fails"\n' + command("DEPLOY_PARACHUTE", "09:08:00"), 10, 126),  # nothing says how it ends
        (fault("silence", '"09:11:00"', "60 s"), 20, 16.1),  # of the stream: the pass ends as it would
        (fault("hang", '"09:09:00"', "30 s"), 10, 35.2),  # in which the mission stands
        (fault("hang", '"09:09:00"', "30 s") + fault("hang", '"09:10:00"', "10 s"), 10, 36.2),
        (fault("unplug", '"09:11:00"', "60 s"), 10, 36.7),  # 307 s after the epoch, and 60
        (fault("unplug", "{ frame = 9 }", "60 s"), 10, 38.2),  # at the latest at the end
        (command("SCALE", "09:06:53", "{ factor = 2 }"), 20, 3 + 262 / 2),
        (command("SCALE", "09:06:53", "{ factor = 100 }"), 10, 32.2),  # faster, if it arrives
        (command("PING", "09:11:13"), 20, 16 + 10),
        (command("SELECT_PROFILE", "09:05:53", '{ profile = "SOFT_LANDING" }'), 5, 252),
    ],
)
def test_the_planned_end(text: str, speed: float, seconds: float) -> None:
    assert planned_seconds(parse_scenario(HEAD + text), speed) == pytest.approx(seconds)


def test_last_words() -> None:
    assert last_words([]) == "it sent no frame"
    bus = FrameSplitter(UART).feed(b"".join(burst.data for burst in bursts(0, 31)))
    assert last_words(bus) == "its last frame was VC2 frame 3 of 09:05:56.000"
    both = FrameSplitter(UART).feed(b"".join(burst.data for burst in bursts(0, 881)))
    told = "its last frame was VC2 frame 88 of 09:07:21.000, and of the lander VC0 frame 0 of 09:07:21.000, in phase "
    assert last_words(both) == f"{told}AEROBRAKING"
    lander = FrameSplitter(UART).feed(b"".join(burst.data for burst in bursts(0, 886)))
    assert last_words(lander) == "its last frame was VC0 frame 5 of 09:07:21.500, in phase AEROBRAKING"
