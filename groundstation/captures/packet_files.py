"""Where the packets of offline decoding go: JSON lines or Parquet, in a file or on standard output."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

import msgspec

from groundstation.captures.packet_rows import PacketRow
from groundstation.errors import CallerError
from groundstation.formats.json_encoding import encode_json

_ROW_GROUP = 10_000


class PacketSink(AbstractContextManager["PacketSink"], Protocol):
    """Where packets go."""

    def write(self, rows: Sequence[PacketRow]) -> None:
        """Keep some more."""


class NoSink:
    """Packets are counted only."""

    def write(self, rows: Sequence[msgspec.Struct]) -> None:
        """Forget them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


class JsonLines:
    """One JSON object a line.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, rows: Sequence[msgspec.Struct]) -> None:
        """Write them at once: a pipe may be read live."""
        if rows:
            self._file.writelines(encode_json(row, times=True) + b"\n" for row in rows)
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The file is its owner's."""


class ParquetFile:
    """One row a packet; ``values`` is a JSON object, because packets differ in what they hold.

    Raises:
        CallerError: pyarrow is not installed.
        OSError: the file cannot be written.
    """

    def __init__(self, file: BinaryIO) -> None:
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
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
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
    values = None if row.values is None else encode_json(row.values).decode()
    return {**msgspec.structs.asdict(row), "values": values, "data": bytes.fromhex(row.data)}
