"""From the bytes of a terminal to keys: line noise is data here too, and ends nothing.

Five rules, each for something that did end a viewer, or would make its keyboard deaf:

- Bytes that are not UTF-8 become U+FFFD, and a key with that character is dropped.
- An old mouse report (X10: ``ESC [ M`` and three bytes of any value) is passed on with harmless bytes in place of the
  three, so that none of them becomes a key or takes the next key with it.
- Textual's parser raises on some sequences (``ESC [ 1114112 u``, ``ESC [ 97:65 u``), and is of no use afterwards. What
  it had of that sequence is dropped, and a new parser takes over.
- The size of a terminal is what the kernel says. A report of a size among the keys could ask for gigabytes, and a
  report of the mouse was never asked for: both are dropped.
- A paste that has no end is bounded: characters above `PASTE_MAX` are dropped, and after `PASTE_PAUSE_S` without a byte
  it is over.
"""

from __future__ import annotations

import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from functools import partial

from textual._xterm_parser import XTermParser
from textual.events import Key, MouseEvent, Resize
from textual.message import Message
from textual.messages import InBandWindowResize

PASTE_MAX = 65_536
PASTE_PAUSE_S = 5.0

_X10 = b"\x1b[M"
_X10_BYTES = 3
_PASTE_START, _PASTE_END = "\x1b[200~", "\x1b[201~"
_DROPPED = (MouseEvent, Resize, InBandWindowResize)


class KeyReader:
    """Turns what a terminal sends into Textual's messages.

    Attributes:
        dropped: sequences and characters that were no keys.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds that never go back."""
        self.dropped = 0
        self._clock = clock
        self._parser = XTermParser()
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._recent = b""
        self._mouse = 0
        self._tail = ""
        self._pasted: int | None = None
        self._heard = clock()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with these bytes."""
        self._heard = self._clock()
        messages: list[Message] = []
        for character in self._decoder.decode(self._without_mouse(data)):
            if self._takes(character):
                messages += self._parsed(partial(self._parser.feed, character))
        return messages

    def tick(self) -> list[Message]:
        """The messages that are complete because time has passed: a lone Escape, a paste that does not end."""
        messages = self._parsed(self._parser.tick)
        if self._pasted is not None and self._clock() - self._heard > PASTE_PAUSE_S:
            self._pasted, self._tail = None, ""
            for character in _PASTE_END:
                messages += self._parsed(partial(self._parser.feed, character))
        return messages

    def _without_mouse(self, data: bytes) -> bytes:
        kept = bytearray()
        for byte in data:
            if self._mouse:
                self._mouse -= 1
                kept.append(ord("!"))
                continue
            kept.append(byte)
            self._recent = (self._recent + bytes((byte,)))[-len(_X10) :]
            if self._recent == _X10:
                self._mouse = _X10_BYTES
        return bytes(kept)

    def _takes(self, character: str) -> bool:
        """Whether a character goes to the parser: not one too many of a paste."""
        self._tail = (self._tail + character)[-len(_PASTE_END) :]
        if self._tail == _PASTE_START:
            self._pasted = 0
        elif self._tail == _PASTE_END:
            self._pasted = None
        elif self._pasted is not None:
            self._pasted += 1
            if self._pasted > PASTE_MAX and not _PASTE_END.startswith(self._tail[self._tail.rfind("\x1b") :]):
                self.dropped += 1
                return False
        return True

    def _parsed(self, parse: Callable[[], Iterable[Message]]) -> list[Message]:
        messages: list[Message] = []
        try:
            for message in parse():
                if _is_key(message):
                    messages.append(message)
                else:
                    self.dropped += 1
        except Exception:  # whatever the parser makes of noise: it is noise, counted, and no more
            self.dropped += 1
            self._parser = XTermParser()
        return messages


def _is_key(message: Message) -> bool:
    """Not noise: a character that can be written again, and nothing that was never asked for."""
    if isinstance(message, Key) and message.character is not None:
        return not any(char == "\ufffd" or "\ud800" <= char <= "\udfff" for char in message.character)
    return not isinstance(message, _DROPPED)
