"""What a terminal sends: keys come out, noise does not, and nothing ends the reader."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, Paste
from textual.message import Message

from groundstation.tui.terminal.keyboard import PASTE_MAX, PASTE_PAUSE_S, KeyReader

NOISE = {
    "a byte that is not UTF-8": b"\xff",
    "a sequence cut short": b"\xe2\x82",
    "an old mouse report": b"\x1b[M\x20\xff\xff",
    "an old mouse report that looks like UTF-8": b"\x1b[M\xc3\xa9\xc3",
    "an old mouse report with a quit in it": b"\x1b[Mq\x21q",
    "a new mouse report": b"\x1b[<0;5;5M",
    "a key beyond Unicode": b"\x1b[1114112u",
    "a key beyond C": b"\x1b[99999999999u",
    "an alternate key": b"\x1b[97:65u",
    "half a surrogate pair": b"\x1b[55296u",
    "a size of a gigabyte": b"\x1b[48;99999;99999;1;1t",
}


class Clock:
    """Seconds that stand until they are set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def keys(messages: list[Message]) -> list[str]:
    return [message.key for message in messages if isinstance(message, Key)]


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_noise_is_no_key_and_the_next_key_is_one(noise: bytes) -> None:
    reader = KeyReader()
    assert keys(reader.feed(noise)) == []
    assert keys(reader.feed(b"z")) == ["z"]


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_noise_that_comes_byte_by_byte_is_noise_too(noise: bytes) -> None:
    reader = KeyReader()
    assert [keys(reader.feed(bytes((byte,)))) for byte in noise] == [[]] * len(noise)
    assert keys(reader.feed(b"z")) == ["z"]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"q", ["q"]),
        (b"\x1b[A\x1b[B", ["up", "down"]),
        (b"\x1b[97;5u", ["ctrl+a"]),
        ("µ".encode(), ["µ"]),
        (b"\x1a", ["ctrl+z"]),
        (b"\x1b[1;2D", ["shift+left"]),
    ],
)
def test_keys_are_keys(data: bytes, names: list[str]) -> None:
    assert keys(KeyReader().feed(data)) == names


def test_a_lone_escape_is_a_key_once_nothing_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = KeyReader()
    assert reader.feed(b"\x1b") == []
    monkeypatch.setattr("textual._parser.get_time", lambda: 1e12)
    assert keys(reader.tick()) == ["escape"]


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_bytes_end_the_reader(pieces: list[bytes]) -> None:
    reader = KeyReader()
    for piece in pieces:
        for message in (*reader.feed(piece), *reader.tick()):
            if isinstance(message, Key) and message.character is not None:
                message.character.encode()  # it can be written again


def test_sequences_made_of_what_sequences_are_made_of_end_nothing() -> None:
    chance, dropped = random.Random(3), 0
    for _ in range(3000):
        reader = KeyReader()
        reader.feed(b"\x1b[" + bytes(chance.choices(b"\x1b[<?;:0123456789uMmtR~$yAO\xffq", k=chance.randint(1, 14))))
        dropped += reader.dropped
    assert dropped > 100  # the parser does raise, and it is counted


def test_a_paste_is_one_message_and_what_is_too_much_of_it_is_dropped() -> None:
    reader = KeyReader()
    messages = reader.feed(b"\x1b[200~" + b"a" * (PASTE_MAX + 1000) + b"\x1b[201~z")
    assert [len(message.text) for message in messages if isinstance(message, Paste)] == [PASTE_MAX]
    assert keys(messages) == ["z"]
    assert reader.dropped == 1000


def test_a_paste_without_an_end_does_not_make_the_keyboard_deaf() -> None:
    clock = Clock()
    reader = KeyReader(clock)
    assert reader.feed(b"\x1b[200~abc") == []
    clock.now = PASTE_PAUSE_S - 0.1
    assert reader.tick() == []
    clock.now = PASTE_PAUSE_S + 0.1
    reader.tick()
    assert keys(reader.feed(b"z")) == ["z"]
