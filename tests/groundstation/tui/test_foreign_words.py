"""What a station, a lander or a peer says is painted and copied, never obeyed."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Any

import msgspec

from groundstation.messages.wire import AnyMessage
from groundstation.viewer.source import Update
from tests.groundstation.tui.scripted import LOS, script
from tests.groundstation.tui.stage import staged

NASTY = "\x1b[2J\x9b31m\x7f\u202e\u200b\r\n"
SHOWN = r"\x1b[2J\x9b31m"
WORDS = ("text", "detail", "evidence", "url", "recording", "mission", "station", "who", "label", "description", "unit")


def nasty(value: Any) -> Any:
    """The same message with other words in every place that takes any."""
    if isinstance(value, dict):
        return {k: NASTY + v if k in WORDS and isinstance(v, str) else nasty(v) for k, v in value.items()}
    return [nasty(item) for item in value] if isinstance(value, list) else value


def spoilt(message: Update) -> AnyMessage:
    spoilt: AnyMessage = msgspec.convert(nasty(msgspec.to_builtins(message)), AnyMessage)
    return spoilt


def test_the_screens_paint_escapes() -> None:
    async def play() -> list[str]:
        seen = []
        timed = ((at, spoilt(message)) for at, message in script(until=LOS + 0.9))
        async with staged(timed, (120, 40)) as stage:
            for keys in ((), ("p",), ("colon",), ("escape",), ("question_mark",)):
                for key in keys:
                    await stage.pilot.press(key)
                await stage.settle()
                seen.append(stage.text())
            await stage.pilot.press("escape")
            stage.app.action_copy()
            seen.append(stage.app.clipboard)
        return seen

    seen = asyncio.run(play())
    assert sum(SHOWN in text for text in seen) >= 4
    for text in seen:
        unseen = {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
        assert unseen == {"\n"}
