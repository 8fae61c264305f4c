"""Recordings to tables that other programs read: one file a packet type, Parquet, CSV or JSON lines.

Columns: both times (``ert``, ``scet``), ``quality`` (GOOD, or CORRECTED if Reed–Solomon mended the frame), the virtual
channel, the packet's sequence count, then the parameters in calibrated units: in Parquet as they are, elsewhere rounded
to the declared decimals. A value that means nothing (the altimeter without lock), or that a packet of variable size
does not have, is null, and empty in CSV; so is ``scet`` where packets have no onboard time. A repeated parameter is one
column of lists, ``points[].x``, which CSV writes as JSON. A parameter that checks are declared for is followed, after
all parameters, by ``<parameter>_quality``: good, suspect or unusable; the column ``reasons`` says for each packet which
check found what. JSON has only those that are not good, in ``bad``, as in the rows of `decode`.
Packets of damaged frames are not in it, but on request in tables of their own: their quality is INTACT or MENDED.
"""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Callable, Collection
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Protocol, Self

import msgspec
import numpy as np
import numpy.typing as npt

from groundstation.errors import ArchiveError, CallerError
from groundstation.formats.file_names import file_name
from groundstation.formats.json_encoding import beyond_53_bits, encode_json, word_of
from groundstation.formats.output_file import OutputFile
from groundstation.messages.base import Value
from groundstation.messages.shown_values import quality_of
from groundstation.messages.wire import ValueQuality
from groundstation.recordings.export.columns import GOOD, QUALITIES, PacketColumns, Times, packet_columns
from groundstation.recordings.export.mended import mended_columns
from groundstation.recordings.reader import ArchiveReader
from protocols.declare.dictionary import Dictionary, Packet
from protocols.decode.bulk_packets import NO_TIME, Column, labels
from protocols.decode.judging.verdicts import ALL_GOOD
from protocols.errors import DeclarationError
from protocols.profile import LinkProfile
from protocols.structures.layout import Field
from protocols.words import Quality

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet")
_WIDEST = 64
REASONS = "reasons"
"""The column that says which check found what."""


class TableSink(Protocol):
    """A file of one packet type."""

    def write(self, columns: PacketColumns) -> None:
        """Append rows."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def quality_column(name: str) -> str:
    """The column that says how good a parameter is."""
    return f"{name}_quality"


def qualities(columns: PacketColumns, name: str) -> list[Quality | None]:
    """How good the values of a parameter are; None where it means nothing."""
    void = columns.void.get(name)
    found: list[Quality | None] = [QUALITIES[place] for place in columns.quality(name).tolist()]
    if void is None:
        return found
    return [None if gone else each for each, gone in zip(found, void.tolist(), strict=True)]


class TextTable:
    """What text formats have in common: columns of values as they are shown, None where they mean nothing."""

    def __init__(self, packet: Packet) -> None:
        self._words, self._rounded = labels(packet), dict(packet.rounded)
        self.names = [parameter.name for parameter in packet.parameters]

    def shown(self, columns: PacketColumns) -> list[list[Any]]:
        """The values, a list for each parameter."""
        return [self._cells(name, column, columns.void.get(name)) for name, column in columns.values.items()]

    def _cells(self, name: str, column: Column, void: npt.NDArray[np.bool_] | None) -> list[Any]:
        cells: list[Any] = column.tolist()
        decimals = self._rounded.get(name)
        if column.dtype.kind == "O":
            cells = [self._cell(name, cell) for cell in cells]
        elif name in self._words:
            cells = [self._words[name].get(cell, cell) for cell in cells]
        elif column.dtype.kind == "V":
            cells = [cell.hex() for cell in cells]
        elif decimals is not None:
            cells = [round(cell, decimals) for cell in cells]
        if void is None:
            return cells
        return [None if gone else cell for cell, gone in zip(cells, void.tolist(), strict=True)]

    def _cell(self, name: str, cell: Any) -> Any:
        """One cell of a column of objects, as it is shown."""
        if isinstance(cell, list):
            return [self._cell(name, each) for each in cell]
        if isinstance(cell, bytes):
            return cell.hex()
        if name in self._words:
            return self._words[name].get(cell, cell)
        decimals = self._rounded.get(name)
        return cell if decimals is None or not isinstance(cell, float) else round(cell, decimals)


class CsvTable(TextTable):
    """Comma-separated values; times in ISO 8601 UTC with nanoseconds, flags as true and false, enums as words."""

    def __init__(self, file: BinaryIO, packet: Packet, checked: Collection[str]) -> None:
        super().__init__(packet)
        self._file = io.TextIOWrapper(file, encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        more = [*(quality_column(name) for name in checked), REASONS] if checked else []
        self._writer.writerow(["ert", "scet", "quality", "vcid", "sequence", *self.names, *more])

    def write(self, columns: PacketColumns) -> None:
        """Append rows."""
        lists: list[list[Any]] = [_iso(columns.ert), _iso(columns.scet)]
        lists.append([columns.qualities[mended] for mended in columns.corrected.tolist()])
        lists += [columns.vcid.tolist(), columns.sequence.tolist()]
        for column, cells in zip(columns.values.values(), self.shown(columns), strict=True):
            lists.append(list(map(_csv_cell, cells)) if column.dtype.kind in "bfO" else cells)
        lists += [qualities(columns, name) for name in columns.checked]
        lists += [columns.reasons()] if columns.checked else []
        self._writer.writerows(zip(*lists, strict=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.detach()


class TableRow(msgspec.Struct, frozen=True):
    """One packet in JSON, as in the rows of `decode`."""

    packet: str
    ert: int
    scet: int | None
    quality: str
    vcid: int
    sequence: int
    values: dict[str, Value | None]
    invalid: list[str]
    exact: dict[str, str]
    bad: dict[str, ValueQuality] | None


class JsonTable(TextTable):
    """One JSON object a line."""

    def __init__(self, file: BinaryIO, packet: Packet, checked: Collection[str]) -> None:
        super().__init__(packet)
        self._file = file
        self._packet = packet
        self._conditional = [condition.name for condition in packet.conditional]

    def write(self, columns: PacketColumns) -> None:
        """Append rows."""
        names, packet = list(columns.values), self._packet
        heads = (columns.ert, columns.scet, columns.corrected, columns.vcid, columns.sequence)
        rows = zip(*(head.tolist() for head in heads), zip(*self.shown(columns), strict=True), strict=True)
        for row, (ert, scet, mended, vcid, sequence, cells) in enumerate(rows):
            values = dict(zip(names, cells, strict=True))
            invalid = [name for name in self._conditional if values[name] is None]
            bad = quality_of(columns.bad.get(row, ALL_GOOD)) if columns.checked else None
            exact = beyond_53_bits({name: values[name] for name in packet.wide})
            head = (
                packet.definition.name,
                ert,
                None if scet == NO_TIME else scet,
                columns.qualities[mended],
                vcid,
                sequence,
            )
            self._file.write(encode_json(TableRow(*head, values, invalid, exact, bad), times=True) + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The file is its owner's."""


class ParquetTable:
    """Parquet with zstd; times are timestamps in UTC, enums are dictionaries of words.

    Raises:
        CallerError: pyarrow is not installed.
    """

    def __init__(self, file: BinaryIO, packet: Packet, checked: Collection[str]) -> None:
        try:
            self._arrow = importlib.import_module("pyarrow")
            self._parquet = importlib.import_module("pyarrow.parquet")
        except ImportError as error:
            raise CallerError("Parquet needs pyarrow: pip install 'mars6-groundstation[parquet]'") from error
        self._file = file
        self._labels = labels(packet)
        self._writer: Any = None

    def write(self, columns: PacketColumns) -> None:
        """Append rows."""
        arrow = self._arrow
        time = arrow.timestamp("ns", "UTC")
        table: dict[str, Any] = {"ert": arrow.array(columns.ert, time)}
        table["scet"] = arrow.array(columns.scet, time, mask=columns.scet == NO_TIME)
        table["quality"] = arrow.DictionaryArray.from_arrays(columns.corrected.astype(np.int8), list(columns.qualities))
        table["vcid"] = arrow.array(columns.vcid.astype(np.uint8))
        table["sequence"] = arrow.array(columns.sequence.astype(np.uint16))
        table |= {name: self._array(columns, name, column) for name, column in columns.values.items()}
        for name in columns.checked:
            table[quality_column(name)] = self._qualities(columns, name)
        if columns.checked:
            table[REASONS] = arrow.array(columns.reasons(), arrow.string())
        rows = arrow.table(table)
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(self._file, rows.schema, compression="zstd")
        self._writer.write_table(rows)

    def _array(self, columns: PacketColumns, name: str, column: Column) -> Any:
        words = self._labels.get(name)
        void = columns.void.get(name)
        if column.dtype.kind == "O":
            return self._objects(columns.packet, name, column)
        if words is None:
            values = column.tolist() if column.dtype.kind == "V" else column
            return self._arrow.array(values, mask=void)
        codes, texts = _as_words(column, words)
        return self._arrow.DictionaryArray.from_arrays(self._arrow.array(codes, mask=void), texts)

    def _qualities(self, columns: PacketColumns, name: str) -> Any:
        codes = self._arrow.array(columns.quality(name), mask=columns.void.get(name))
        return self._arrow.DictionaryArray.from_arrays(codes, list(QUALITIES))

    def _objects(self, packet: Packet, name: str, column: Column) -> Any:
        """A column of objects, of the type that the declaration says: a block may have nothing to tell it from."""
        field = next(leaf for leaf in packet.layout.named if leaf.name == name)
        words = self._labels.get(name)
        cells = column.tolist() if words is None else [_in_words(cell, words) for cell in column.tolist()]
        return object_array(self._arrow, field, cells)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()


_TABLES: dict[Format, Callable[[BinaryIO, Packet, Collection[str]], TableSink]] = {
    "csv": CsvTable,
    "jsonl": JsonTable,
    "parquet": ParquetTable,
}


def export(
    reader: ArchiveReader,
    dictionary: Dictionary,
    profile: LinkProfile,
    form: Format,
    folder: Path,
    names: Collection[str] | None = None,
    advance: Callable[[int], None] = lambda count: None,
    *,
    force: bool = False,
    mended: bool = False,
) -> dict[Path, int]:
    """Write a recording's packets into ``folder``, a file for each type that occurs; the rows in each.

    Args:
        reader: the recording.
        dictionary: what its packets mean.
        profile: what its frames look like.
        form: what to write.
        folder: where to; made if need be. No file has its name until all of them are whole.
        names: the packet types that are wanted; by default all.
        advance: told how many bytes of the recording were read.
        force: replace files of the same name.
        mended: write also what damaged frames hold, into tables of their own, ``…-mended-…``.

    Raises:
        ArchiveError: the recording cannot be read, or a file cannot be written.
        CallerError: pyarrow is missing, a file is there already, or frames of this link cannot be mended.
        DeclarationError: a parameter's integers are too wide for Parquet.
    """
    rows: dict[Path, int] = {}
    files: dict[Path, OutputFile] = {}
    tables: dict[Path, TableSink] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            asked = (reader, dictionary, profile, names, advance)
            for columns in chain(packet_columns(*asked), mended_columns(*asked) if mended else ()):
                part = "" if columns.qualities is GOOD else "mended-"
                path = folder / f"{reader.path.stem}-{part}{file_name(columns.packet.definition.name)}.{form}"
                if path not in rows:
                    rows[path] = 0
                    files[path] = OutputFile(path, force=force)
                    tables[path] = stack.enter_context(_TABLES[form](files[path].file, columns.packet, columns.checked))
                tables[path].write(columns)
                rows[path] += len(columns.ert)
        for file in files.values():
            file.close()
        for file in files.values():
            file.finish()
    except OSError as error:
        raise ArchiveError(f"cannot export to {folder}: {error.strerror or error}") from error
    finally:
        for file in files.values():
            file.discard()
    return rows


def object_array(arrow: Any, field: Field, cells: list[Any], mask: Any = None) -> Any:
    """An Arrow array of a column of objects; enumerations are words.

    Args:
        arrow: the module.
        field: as it is declared.
        cells: lists, if it is repeated.
        mask: true where there is no value.

    Raises:
        DeclarationError: Arrow has no type for its integers.
    """
    try:
        return arrow.array(cells, _object_type(arrow, field), mask=mask)
    except OverflowError as error:
        text = "its integers are too wide for a column of Arrow or Parquet: export them as csv or jsonl"
        raise DeclarationError(field.name, text) from error


def _object_type(arrow: Any, field: Field) -> Any:
    whole = arrow.uint64() if field.kind == "uint" and field.bits == _WIDEST else arrow.int64()
    kinds = {"flag": arrow.bool_(), "string": arrow.string(), "bytes": arrow.binary(), "float": arrow.float64()}
    kind = kinds.get(field.kind, whole)
    if field.is_enum:
        kind = arrow.string()
    elif field.quantity is not None and not field.quantity.identity:
        kind = arrow.float64()
    return arrow.list_(kind) if "[]" in field.name else kind


def _in_words(cell: Any, words: dict[int, str]) -> Any:
    if isinstance(cell, list):
        return [_in_words(each, words) for each in cell]
    return None if cell is None else words.get(cell, str(cell))


def _csv_cell(cell: Any) -> Any:
    """Empty for None; flags and numbers that are none as words; lists as JSON."""
    if isinstance(cell, list):
        return encode_json(cell).decode()
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return word_of(cell) or cell if isinstance(cell, float) else cell


def _iso(times: Times) -> list[str]:
    texts = np.datetime_as_string(times.astype("datetime64[ns]")).tolist()
    return ["" if text == "NaT" else f"{text}Z" for text in texts]


def _as_words(column: Column, words: dict[int, str]) -> tuple[Column, list[str]]:
    """Places in a list of words; a number without a word is its own."""
    known = dict(words) | {number: words.get(number, str(number)) for number in np.unique(column).tolist()}
    numbers = np.array(sorted(known), column.dtype)
    return np.searchsorted(numbers, column).astype(np.int32), [known[number] for number in numbers.tolist()]
