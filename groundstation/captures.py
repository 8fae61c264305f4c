"""Files on both sides of offline decoding: captures and recordings in, JSON lines and Parquet out."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

import msgspec

from groundstation.archive.reader import ArchiveReader
from groundstation.decoding import PacketRow
from groundstation.errors import CallerError, WorldError

_READ = 1 << 16
_SQLITE = b"SQLite format 3\0"
_ROW_GROUP = 10_000


class Capture:
    """A file of received bytes, or one of the station's own recordings: told apart by their first bytes.

    Raises:
        WorldError: it cannot be read.
        ArchiveError: an SQLite file, but none of the station's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self.is_recording = file.read(len(_SQLITE)) == _SQLITE
            self.size = path.stat().st_size
        except OSError as error:
            raise WorldError(f"{path} cannot be read: {error.strerror}") from error
        if self.is_recording:
            with ArchiveReader(path) as reader:
                self.size = reader.bytes_total

    def pieces(self) -> Iterator[tuple[int | None, bytes]]:
        """The bytes in order, each piece with its Earth received time if it is known.

        Raises:
            WorldError: the file cannot be read any further.
        """
        if self.is_recording:
            with ArchiveReader(self.path) as reader:
                for ert, _, data in reader.chunks():
                    yield ert, data
            return
        try:
            with self.path.open("rb") as file:
                while data := file.read(_READ):
                    yield None, data
        except OSError as error:
            raise WorldError(f"{self.path} cannot be read: {error.strerror}") from error


class PacketSink(AbstractContextManager["PacketSink"], Protocol):
    """Where packets go."""

    def write(self, rows: Sequence[PacketRow]) -> None:
        """Keep some more."""


class NoSink:
    """Packets are counted only."""

    def write(self, rows: Sequence[PacketRow]) -> None:
        """Forget them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


class JsonLines:
    """One JSON object a line, to a file or to standard output.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._file: BinaryIO = sys.stdout.buffer if path is None else path.open("wb")
        self._ours = path is not None
        self._encoder = msgspec.json.Encoder()

    def write(self, rows: Sequence[PacketRow]) -> None:
        """Write them at once."""
        self._file.write(self._encoder.encode_lines(rows))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        if self._ours:
            self._file.close()


class ParquetFile:
    """One row a packet; ``values`` is a JSON object, because packets differ in what they hold.

    Raises:
        CallerError: pyarrow is not installed.
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            pyarrow = importlib.import_module("pyarrow")
            parquet = importlib.import_module("pyarrow.parquet")
        except ImportError as error:
            raise CallerError("Parquet needs pyarrow: pip install 'mars6-groundstation[parquet]'") from error
        self._arrow = pyarrow
        time = pyarrow.timestamp("ns", "UTC")
        self._schema = pyarrow.schema(
            [
                ("offset", pyarrow.int64()),
                ("ert", time),
                ("scid", pyarrow.uint16()),
                ("vcid", pyarrow.uint8()),
                ("vcfc", pyarrow.uint32()),
                ("apid", pyarrow.uint16()),
                ("sequence", pyarrow.uint16()),
                ("name", pyarrow.string()),
                ("scet", time),
                ("values", pyarrow.string()),
                ("error", pyarrow.string()),
                ("data", pyarrow.binary()),
            ]
        )
        self._writer = parquet.ParquetWriter(str(path), self._schema, compression="zstd")
        self._waiting: list[dict[str, Any]] = []

    def write(self, rows: Sequence[PacketRow]) -> None:
        """Keep them until there is a row group."""
        self._waiting += map(_parquet_row, rows)
        if len(self._waiting) >= _ROW_GROUP:
            self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self._writer.write_table(self._arrow.Table.from_pylist(self._waiting, schema=self._schema))
        self._waiting = []


def _parquet_row(row: PacketRow) -> dict[str, Any]:
    values = None if row.values is None else msgspec.json.encode(row.values).decode()
    return {**msgspec.structs.asdict(row), "values": values, "data": bytes.fromhex(row.data)}
