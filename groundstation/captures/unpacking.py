"""What a file of bytes may be wrapped in: gzip, and hex as text. Taken off piece by piece, so memory does not grow.

Rules:
1. Which it is, the first bytes say. Binary captures never look so: gzip has three fixed bytes, and text of hex digits
   alone does not occur in them. Text of 0 and 1 alone may be bits, and is left as it is.
2. What comes is given out as it comes; a pipe is not read to its end first.
3. What is damaged is read up to there; ``lack`` says so.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

_GZIP = b"\x1f\x8b\x08"
_GZIP_FORM = 31
"""For zlib: with gzip's header and trailer."""
_PIECE = 1 << 16
_LOOK = 4096
"""Bytes that say whether it is hex."""

_XXD = re.compile(rb"[0-9a-f]+:[ \t]+((?:[0-9a-f]{2,8} )*[0-9a-f]{2,8})(?:  .*)?\r?", re.IGNORECASE)
_HEXDUMP = re.compile(rb"[0-9a-f]{6,8}[ \t]+((?:[0-9a-f]{2} +)*[0-9a-f]{2})(?: +[|>].*)?\r?", re.IGNORECASE)
_LAST_OFFSET = re.compile(rb"[0-9a-f]{6,8}\r?", re.IGNORECASE)
_PREFIX = re.compile(rb"0[xX]|\\x")
_PLAIN = re.compile(rb"\s*(?:(?:0[xX]|\\x)?[0-9A-Fa-f]{2}[\s,:;]*)+")
_C_ARRAY = re.compile(rb"\s*[A-Za-z_][\w\s*]{0,200}\[\s*\w*\s*\]\s*=\s*\{")
_BINARY = re.compile(rb"[^\t-\r -~]")
_BITS = re.compile(rb"[01\s]+")
_SEPARATORS = b" \t\r\n\v\f,:;"
_EACH_SEPARATOR = [_SEPARATORS[n : n + 1] for n in range(len(_SEPARATORS))]
_NO_DIGIT = re.compile(rb"[^0-9A-Fa-f]")
_LONGEST_BYTE = 8
"""Characters of a byte with its prefix, and more."""


class Unpacking:
    """Takes the wrapping off a stream of bytes.

    Attributes:
        form: what it was, in words; empty: nothing.
        lack: what is missing, in words; empty if nothing.
    """

    def __init__(self, pieces: Iterable[bytes], *, text: bool = True) -> None:
        """Begin.

        Args:
            pieces: the stream.
            text: whether it may be hex.
        """
        self._pieces = iter(pieces)
        self._text = text
        self.form = ""
        self.lack = ""

    def pieces(self) -> Iterator[bytes]:
        """The bytes inside, in order, once."""
        stream, head = self._begun(self._pieces, len(_GZIP))
        if head.startswith(_GZIP):
            self.form = "gzip"
            stream = self._inflated(stream)
        if self._text:
            stream, head = self._begun(stream, _LOOK)
            start, end = _braces(head)
            if form := hex_form(head[start:end], is_cut=end >= _LOOK):
                self.form = f"{self.form}, {form}".lstrip(", ")
                stream = self._unhexed(self._within_braces(stream, start) if start else stream, form)
        yield from stream

    @staticmethod
    def _begun(stream: Iterator[bytes], size: int) -> tuple[Iterator[bytes], bytes]:
        """The same stream, and what it begins with: ``size`` bytes at least, if there are so many.

        What cannot be text or gzip is not waited for.
        """
        head = b""
        for piece in stream:
            head += piece
            if len(head) >= size or (_BINARY.search(head) and not _GZIP.startswith(head[: len(_GZIP)])):
                break
        return _after(head, stream), head

    def _inflated(self, stream: Iterator[bytes]) -> Iterator[bytes]:
        """What the members of a gzip file hold, one after the other."""
        member, given = zlib.decompressobj(_GZIP_FORM), 0
        for piece in stream:
            rest = piece
            while rest:
                if member.eof:
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    member = zlib.decompressobj(_GZIP_FORM)
                before = member.copy()
                try:
                    data = member.decompress(rest, _PIECE)
                except zlib.error:
                    for data in _until_damage(before, rest):
                        given += len(data)
                        yield data
                    self.lack = f"is damaged as gzip after {given} bytes of content"
                    return
                given += len(data)
                rest = member.unused_data if member.eof else member.unconsumed_tail
                if data:
                    yield data
        if not member.eof:
            self.lack = f"ends in the middle of its gzip data, after {given} bytes of content"

    def _within_braces(self, stream: Iterator[bytes], start: int) -> Iterator[bytes]:
        """The numbers of a C array, without the declaration around them."""
        for piece in stream:
            text, brace, _ = piece[start:].partition(b"}")
            yield text
            if brace:
                return
            start = max(0, start - len(piece))
        self.lack = self.lack or "ends in the middle of its array"

    def _unhexed(self, stream: Iterator[bytes], form: str) -> Iterator[bytes]:
        convert = _plain if form == _PLAIN_FORM else _listing
        given, rest = 0, b""
        for piece in _after_all(stream, b"\n"):
            data, rest, problem = convert(rest + piece)
            given += len(data)
            if data:
                yield data
            if problem:
                self.lack = f"{problem} after {given} bytes"
                return
        if rest.strip() and not self.lack:  # what cut it off is said already
            self.lack = f"ends in the middle of a byte, after {given} bytes"


_PLAIN_FORM = "hex text"
_LISTING_FORM = "hex dump"


def _braces(head: bytes) -> tuple[int, int]:
    """Where the numbers begin and end of a C array that is declared around them; else all of it."""
    declared = _C_ARRAY.match(head)
    if declared is None:
        return 0, len(head)
    end = head.find(b"}", declared.end())
    return declared.end(), end if end >= 0 else len(head)


def hex_form(head: bytes, *, is_cut: bool) -> str:
    """What hex is written as, by its first bytes; empty if it is not hex.

    Args:
        head: the first bytes.
        is_cut: more follow, so that it may end in the middle of a byte.
    """
    look = head[:_LOOK]
    lines = look.split(b"\n")
    whole = lines[:-1] if len(lines) > 1 else lines
    listed = [line for line in whole if line.strip() and line != b"*"]
    if listed and all(map(_is_listed, listed)) and any(b" " in line for line in listed):
        return _LISTING_FORM
    found = _PLAIN.match(look)
    cut = _LONGEST_BYTE // 2 if is_cut else 0
    whole_text = found is not None and found.end() >= len(look) - cut
    return _PLAIN_FORM if whole_text and not _BITS.fullmatch(look) else ""


def _is_listed(line: bytes) -> bool:
    return bool(_XXD.fullmatch(line) or _HEXDUMP.fullmatch(line) or _LAST_OFFSET.fullmatch(line))


def _until_damage(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """What can be taken out of damaged data: byte by byte, as an error takes with it what came before it."""
    for place in range(len(data)):
        try:
            found = member.decompress(data[place : place + 1])
        except zlib.error:
            return
        if found:
            yield found


def _after(head: bytes, stream: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from stream


def _after_all(stream: Iterator[bytes], last: bytes) -> Iterator[bytes]:
    yield from stream
    yield last


def _plain(text: bytes) -> tuple[bytes, bytes, str]:
    """The bytes that stand in text, what is left of it (less than a byte), and why it cannot go on."""
    cut = 1 + max(map(text.rfind, _EACH_SEPARATOR))
    if len(text) - cut > _LONGEST_BYTE:
        cut = text.rfind(b"\\") if b"\\" in text[cut:] else len(text)
    digits = _PREFIX.sub(b"", text[:cut]).translate(None, _SEPARATORS)
    odd = _NO_DIGIT.search(digits)
    whole = digits[: odd.start()] if odd else digits
    even = len(whole) // 2 * 2
    data = bytes.fromhex(whole[:even].decode("ascii"))
    return data, digits[even:] + text[cut:], "is not hex any more" if odd else ""


def _listing(text: bytes) -> tuple[bytes, bytes, str]:
    """The bytes in whole lines, the part of a line that is left, and why it cannot go on."""
    out: list[bytes] = []
    *lines, rest = text.split(b"\n")
    for line in lines:
        if not line.strip() or _LAST_OFFSET.fullmatch(line):
            continue
        found = _XXD.fullmatch(line) or _HEXDUMP.fullmatch(line)
        if found is None:
            lacks = line.startswith(b"*")
            return b"".join(out), b"", "lacks lines (*): dump it again with -v;" if lacks else "is not hex any more"
        out.append(bytes.fromhex(found[1].replace(b" ", b"").decode("ascii")))
    return b"".join(out), rest, "is not hex any more" if len(rest) > _PIECE else ""
