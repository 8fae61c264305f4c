"""The header at every width, in every state: what matters is always there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import cast, get_args

import msgspec
import pytest

from groundstation.messages.wire import SignalState
from groundstation.tui.drawing.glyphs import ASCII, UNICODE, Glyphs
from groundstation.tui.drawing.spans import plain, width_of
from groundstation.tui.panels.contact import contact
from groundstation.tui.panels.header import BEAT_NS, header
from groundstation.tui.panels.rows import View
from groundstation.viewer.model import PassModel
from tests.groundstation.tui.scripted import S, descent, host, link, snapshot, uplink

AT = 98.0
SIGNALS = (*get_args(SignalState), "UNKNOWN")
FLAGS = ("held", "armed", "lockout", "unrecorded")
STATES = [
    (lander, bus, frozenset(flag for flag, on in zip(FLAGS, flags, strict=True) if on))
    for lander, bus, *flags in product(SIGNALS, SIGNALS, *[(False, True)] * len(FLAGS))
]
WORDS = {"held": ("HELD",), "armed": ("ARM",), "lockout": ("LOCKOUT", "LKO"), "unrecorded": ("REC",)}


def view(
    lander: str = "LOCKED",
    bus: str = "LOCKED",
    flags: frozenset[str] = frozenset(),
    *,
    glyphs: Glyphs = UNICODE,
    replay: bool = False,
    later: int = 0,
) -> View:
    """A station in a state, seen by a viewer."""
    model = PassModel()
    model.apply(snapshot(AT), host(AT))
    model.apply(descent(AT), host(AT))
    status = link(AT, "LOCKED", recording_ok="unrecorded" not in flags)
    model.apply(msgspec.structs.replace(status, replay=replay), host(AT))
    armed = host(AT + 23) if "armed" in flags else None
    model.apply(uplink(AT, armed_until=armed, lockout="lockout" in flags), host(AT))
    model.signals.update({0: cast(SignalState, lander), 2: cast(SignalState, bus)})
    return View(model, host(AT) + later, glyphs, 12 * S if "held" in flags else None)


def text_of(shown: View, width: int) -> str:
    row = header(shown, width)
    assert width_of(row) == width
    return "".join(span.text for span in row)


def check(widths: Sequence[int], glyphs: Glyphs, later: int = 0) -> None:
    for lander, bus, flags in STATES:
        shown = view(lander, bus, flags, glyphs=glyphs, later=later)
        wanted = [words for flag, words in WORDS.items() if flag in flags]
        wanted += [("LOS",)] if "LOS" in (lander, bus) else []
        wanted += [("LAG",)] if later else []
        for width in widths:
            text = text_of(shown, width)
            missing = [words for words in wanted if not any(word in text for word in words)]
            assert not missing, f"{lander} {bus} {sorted(flags)} at {width}: {text!r}"
            assert glyphs.unicode or text.isascii()


@pytest.mark.parametrize(
    "widths", [(20, 40, 60, 80, 120, 200), pytest.param(range(20, 201), marks=pytest.mark.long)], ids=["usual", "all"]
)
def test_badges_that_matter_stay_in_576_states_at_20_to_200(widths: Sequence[int]) -> None:
    assert len(STATES) == 576
    check(widths, UNICODE)


def test_badges_that_matter_stay_in_ascii_too() -> None:
    check((20, 40, 60, 80, 120), ASCII)


def test_badges_that_matter_stay_on_a_late_screen_too() -> None:
    check((20, 21, 22, 24, 30, 60), UNICODE, later=round(1.2 * S))


@pytest.mark.parametrize("flags", [frozenset(FLAGS), frozenset({"held"}), frozenset[str]()])
def test_a_replay_says_so_at_any_width(flags: frozenset[str]) -> None:
    for lander, width in product(SIGNALS, range(24, 201)):
        text = text_of(view(lander, "LOS", flags, replay=True), width)
        assert "REPLAY" in text or "RPL" in text, f"{lander} at {width}: {text!r}"


def test_name_elapsed_time_and_live_yield_before_a_loss_does() -> None:
    shown = view("LOS", "LOCKED")
    assert [word in text_of(shown, 80) for word in ("MARS-6", "T+", "LIVE", "■ LANDER LOS")] == [True] * 4
    assert [word in text_of(shown, 60) for word in ("MARS-6", "T+", "■ LANDER LOS")] == [False, False, True]
    assert [word in text_of(shown, 40) for word in ("UTC", "■ LANDER LOS")] == [False, True]


def test_two_losses_are_named_or_share_their_least_word() -> None:
    shown = view("LOS", "LOS")
    assert plain([header(shown, 40)]).count("LOS") == 2
    assert text_of(shown, 20).count("LOS") == 1


def test_a_held_screen_is_not_live() -> None:
    assert "LIVE" in text_of(view(), 120)
    assert "LIVE" not in text_of(view(flags=frozenset({"held"})), 120)


@pytest.mark.parametrize(("later", "words"), [(S + S // 5, "LAG"), (3 * S, "GONE")])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_late_or_gone_says_so_at_any_width_and_is_not_live(later: int, words: str, glyphs: Glyphs) -> None:
    for lander, bus, flags in STATES:
        shown = view(lander, bus, flags, glyphs=glyphs, later=later)
        losses = "LOS" in (lander, bus) and words == "LAG"
        for width in (*range(20, 31), 40, 60, 80, 120, 200):
            text = text_of(shown, width)
            assert words in text and "LIVE" not in text, f"{lander} {bus} {sorted(flags)} at {width}: {text!r}"
            assert ("LOS" in text) == losses
            assert "HELD" in text or "held" not in flags


@pytest.mark.parametrize("later", [0, S + S // 5, 3 * S])
def test_nothing_is_green_that_may_be_over(later: int) -> None:
    shown = view(later=later)
    rows = [header(shown, 120), *contact(shown, 40), *contact(shown, 80)]
    green = [span.text for row in rows for span in row if span.tone in ("good", "badge_good")]
    assert bool(green) == (not later)


@pytest.mark.parametrize("width", [20, 60, 200])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_the_beat_moves_with_the_time_that_is_painted(glyphs: Glyphs, width: int) -> None:
    beats = [text_of(view(glyphs=glyphs, later=step * BEAT_NS), width)[-1] for step in range(len(glyphs.beat) + 1)]
    assert all(before != after for before, after in pairwise(beats))
    assert beats[0] == beats[-1]
