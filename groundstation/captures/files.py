"""What offline decoding reads: a capture of bytes from anywhere, packed or as hex, or a recording of the station."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from groundstation.captures.unpacking import Unpacking
from groundstation.errors import ArchiveError, CallerError, PartlyRead, WorldError
from groundstation.formats.byte_source import ByteSource, descriptor_of, name_of
from groundstation.recordings.merged import one_stream
from groundstation.recordings.mission_facts import LINK_PROFILE
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import NamedLink
from protocols.profile import UART
from protocols.profile_text import profile_from_toml

_SQLITE = b"SQLite format 3\0"


class Capture:
    """Received bytes, or one of the station's own recordings: told apart by their first bytes.

    What is called a recording is taken for one: it may be damaged where it begins.

    Attributes:
        name: what to call it.
        size: how many bytes there are; None if that is not known, as for a pipe.

    Raises:
        CallerError: it is the terminal.
        WorldError: it cannot be read.
        ArchiveError: an SQLite file, but none of the station's; or a recording in a pipe, which cannot seek.
    """

    def __init__(self, path: Path, *, text: bool = True) -> None:
        """Open.

        Args:
            path: of the file; ``-`` is standard input.
            text: whether it may be hex as text.
        """
        self.name = name_of(path)
        self._recording: ArchiveReader | None = None
        self._ahead: list[tuple[int | None, bytes]] = []
        self._rest: Iterator[tuple[int | None, bytes]] | None = None
        try:
            self._source = ByteSource(path)
            if self._source.is_terminal:
                raise CallerError(_terminal(path, self.name))
            is_recording = path.suffix == ".sqlite" or self._source.peek(len(_SQLITE)) == _SQLITE
        except OSError as error:
            raise WorldError(f"{self.name} cannot be read: {error.strerror}") from error
        self.size = self._source.size
        self._unpacking = Unpacking(self._source.pieces(), text=text)
        if is_recording:
            self._recording = ArchiveReader(self._file(path))
            self._recording.check()
            self.size = self._recording.bytes_total

    def pieces(self) -> Iterator[tuple[int | None, bytes]]:
        """The bytes in order, once; each piece with its Earth received time if it is known.

        Raises:
            WorldError: it cannot be read any further.
        """
        if self._rest is not None:
            ahead, self._ahead = self._ahead, []
            yield from ahead
            yield from self._rest
            return
        if self._recording is not None:
            profile = profile_from_toml(self._recording.meta().get(LINK_PROFILE, "")) if self.links else UART
            yield from one_stream(self._recording, profile)
            return
        try:
            for data in self._unpacking.pieces():
                yield None, data
        except OSError as error:
            raise WorldError(f"{self.name} cannot be read any further: {error.strerror}") from error

    @property
    def recording(self) -> ArchiveReader | None:
        """The recording that it is; None: it is a capture."""
        return self._recording

    @property
    def links(self) -> list[NamedLink]:
        """The links of a recording that has several: their frames are merged, and come as one stream."""
        return [] if self._recording is None else self._recording.named_links()

    def head(self, size: int) -> bytes:
        """The first ``size`` bytes, and some more; they are still to be read. What can be read is all, if it fails.

        Raises:
            WorldError: they cannot be read.
        """
        pieces = self.pieces()
        kept: list[tuple[int | None, bytes]] = []
        while sum(len(data) for _, data in kept) < size and (piece := next(pieces, None)) is not None:
            kept.append(piece)
        self._ahead = [*kept, *self._ahead]
        self._rest = pieces
        return b"".join(data for _, data in kept)

    def samples(self, count: int, size: int) -> list[tuple[int, bytes]]:
        """Pieces further on and where they start, evenly over a plain file; none of a packed one, or of a pipe."""
        if self._recording is not None or self.form or not self.size:
            return []
        places = [self.size * (n + 1) // (count + 1) for n in range(count)]
        try:
            found = [(at, self._source.sample(at, size)) for at in places]
        except OSError as error:
            raise WorldError(f"{self.name} cannot be read any further: {error.strerror}") from error
        return [each for each in found if each[1]]

    def is_same_file(self, path: Path) -> bool:
        """Whether a path leads to this very file."""
        if self._recording is not None:
            return path.exists() and path.samefile(self._recording.path)
        return self._source.is_same_file(path)

    def close(self) -> None:
        """Close it. Idempotent."""
        self._source.close()
        if self._recording is not None:
            self._recording.close()

    @property
    def lack(self) -> str:
        """What was found to be missing in it, in words; empty if nothing."""
        return self._unpacking.lack if self._recording is None else self._recording.lack

    @property
    def form(self) -> str:
        """What the bytes were wrapped in, in words, as far as they were read; empty: in nothing."""
        return self._unpacking.form

    def require_whole(self) -> None:
        """To be called when all of it was read, and what came of it given.

        Raises:
            PartlyRead: something was found to be missing.
        """
        if self._recording is not None:
            self._recording.require_whole()
        elif self.lack:
            raise PartlyRead(f"{self.name} {self.lack}")

    def _file(self, path: Path) -> Path:
        """The recording's own path. The source is closed: that would take SQLite's locks from it later."""
        file = path if descriptor_of(path) is None and path.is_file() else self._source.file
        self._source.close()
        if file is None:
            raise ArchiveError(f"{self.name} is a recording in a pipe, but SQLite has to seek: save it as a file first")
        return file


def _terminal(path: Path, name: str) -> str:
    if descriptor_of(path) is not None:
        return f"{name} is the terminal: name a file, or pipe a capture into this command"
    return f"{name} is a terminal or a serial port: groundstation run serial:{name} receives from a port"
