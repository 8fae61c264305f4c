"""Packets of one type as numpy columns, one row a packet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from groundstation.errors import CallerError
from groundstation.recordings.export.columns import QUALITIES, PacketColumns, judged, packet_columns
from groundstation.recordings.export.tables import REASONS, object_array, quality_column
from groundstation.recordings.reader import ArchiveReader
from protocols.declare.dictionary import Dictionary
from protocols.declare.mission import Mission
from protocols.decode.bulk_packets import NO_TIME, labels
from protocols.decode.judging.quality import QualityMonitor
from protocols.nearest import nearest
from protocols.structures.layout import Field

Array = npt.NDArray[Any]
TIMES = ("scet", "ert", "vcid", "sequence")
"""Columns beside the parameters."""


class PacketTable(Mapping[str, Array]):
    """Packets of one type: an array for each parameter, all of one length, in the order in which they were received.

    Beside the parameters: ``scet`` and ``ert`` (onboard time and time of reception in ns UTC since 1970), ``vcid`` and
    ``sequence``; packets without an onboard time have the least 64-bit number as ``scet``, which is NaT in ``time``.
    Values are calibrated, in the dictionary's units; those of an enumeration are its words. Where a parameter means
    nothing, since the flag that it depends on is 0, the array is masked. In packets of variable size a repeated
    parameter is one column of lists, ``points[].x``. ``altitude_quality`` says of a parameter that checks are declared
    for how good each value is: good, suspect or unusable; ``reasons`` says of each packet which check found what. They
    are worked out when one of them is first asked for.
    """

    def __init__(
        self,
        packet: str,
        columns: Mapping[str, Array],
        judged: Collection[str] = (),
        judge: Callable[[], Mapping[str, Array]] = dict,
        fields: Collection[Field] = (),
    ) -> None:
        """Begin.

        Args:
            packet: its name.
            columns: by name.
            judged: names of the columns of quality.
            judge: works them out.
            fields: of the parameters, as they are declared.
        """
        self.packet = packet
        self._columns = dict(columns)
        self._judged = tuple(judged)
        self._judge = judge
        self._fields = {field.name: field for field in fields}

    def __getitem__(self, name: str) -> Array:
        """A column.

        Raises:
            KeyError: there is none of that name; with the nearest.
        """
        if name in self._judged and name not in self._columns:
            self._columns |= self._judge()
        if name not in self._columns:
            raise KeyError(f"{self.packet} has no parameter {name!r}{nearest(name, self)}")
        return self._columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self._columns or name in self._judged

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._columns, *self._judged]))

    def __len__(self) -> int:
        """Number of columns; `rows` is the number of packets."""
        return len({*self._columns, *self._judged})

    def __repr__(self) -> str:
        return f"<{self.packet}: {self.rows} packets, {', '.join(self)}>"

    @property
    def rows(self) -> int:
        """Number of packets."""
        return len(self._columns["scet"])

    @property
    def scet(self) -> Array:
        """Onboard times in ns UTC since 1970."""
        return self._columns["scet"]

    @property
    def time(self) -> npt.NDArray[np.datetime64]:
        """Onboard times as numpy's, in ns."""
        return np.asarray(self.scet, np.int64).view("datetime64[ns]")

    def between(self, since: int | None, until: int | None) -> PacketTable:
        """The packets with an onboard time from ``since`` on and before ``until``, in ns; None: no bound.

        Packets without an onboard time are in no bounds.
        """
        bounded = since is not None or until is not None
        chosen = self.scet != NO_TIME if bounded else np.ones(self.rows, np.bool_)
        if since is not None:
            chosen &= self.scet >= since
        if until is not None:
            chosen &= self.scet < until
        columns = {name: column[chosen] for name, column in self._columns.items()}
        return PacketTable(
            self.packet,
            columns,
            self._judged,
            lambda: {name: self[name][chosen] for name in self._judged},
            self._fields.values(),
        )

    def to_pandas(self) -> Any:
        """A pandas ``DataFrame``, indexed by onboard time in UTC. A masked value is missing.

        Raises:
            CallerError: pandas is not installed.
        """
        try:
            import pandas  # noqa: PLC0415 - not everybody has it
        except ImportError as error:
            raise CallerError("pandas is not installed: pip install pandas") from error
        index = pandas.DatetimeIndex(self.time, tz="UTC", name="scet")
        columns = {name: pandas.Series(_unmasked(column), index) for name, column in self.items()}
        return pandas.DataFrame({name: column for name, column in columns.items() if name != "scet"}, index)

    def to_arrow(self) -> Any:
        """An Apache Arrow ``Table``. Times are timestamps in UTC; a masked value is null.

        Raises:
            CallerError: pyarrow is not installed.
            DeclarationError: a parameter's integers are too wide for Arrow.
        """
        try:
            import pyarrow  # noqa: PLC0415 - not everybody has it
        except ImportError as error:
            raise CallerError("pyarrow is not installed: pip install 'mars6-groundstation[parquet]'") from error
        stamp = pyarrow.timestamp("ns", "UTC")
        made = {}
        for name, column in self.items():
            mask = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else None
            mask = column == NO_TIME if name == "scet" else mask
            kind, cells = stamp if name in ("scet", "ert") else None, np.ma.getdata(column)
            if cells.dtype.kind == "O" and name in self._fields:
                made[name] = object_array(pyarrow, self._fields[name], cells.tolist(), mask)
                continue
            is_plain = cells.dtype.kind not in "OV"
            made[name] = pyarrow.array(cells if is_plain else cells.tolist(), kind, mask=mask)
        return pyarrow.table(made)


def _unmasked(column: Array) -> Array:
    """A column with NaN, or None where it is not of floats, in place of what is masked; as it is if nothing is."""
    if not isinstance(column, np.ma.MaskedArray):
        return column
    is_float = np.issubdtype(column.dtype, np.floating)
    cells = np.array(column.data, column.dtype if is_float else object)
    cells[np.ma.getmaskarray(column)] = np.nan if is_float else None
    return cells


def read_packets(reader: ArchiveReader, mission: Mission, name: str) -> PacketTable:
    """All packets of a type in the good frames of a recording.

    Raises:
        CallerError: the mission has no such packet.
        ArchiveError: the recording cannot be read.
    """
    dictionary = mission.dictionary
    if name not in dictionary.by_name:
        raise CallerError(f"unknown packet {name!r}{nearest(name, dictionary.by_name)}")
    packet = dictionary.by_name[name]
    words = labels(packet)
    found = list(packet_columns(reader, dictionary, mission.link_profile, [name], quality=False))
    checked = QualityMonitor(dictionary).checked(packet)
    quality = [*(quality_column(each) for each in checked), REASONS] if checked else []
    blocks = [_block(each, words) for each in found]
    if blocks:
        columns = {column: _joined([block[column] for block in blocks]) for column in blocks[0]}
        return PacketTable(name, columns, quality, partial(_judged, dictionary, found), packet.layout.named)
    empty: dict[str, Array] = {column: np.empty(0, np.int64) for column in TIMES}
    for parameter in packet.parameters:
        empty[parameter.name] = np.empty(0, np.float64 if parameter.is_number else np.str_)
    return PacketTable(name, empty | {column: np.empty(0, np.str_) for column in quality})


def _block(found: PacketColumns, words: Mapping[str, Mapping[int, str]]) -> dict[str, Array]:
    values = {name: _in_words(column, words.get(name)) for name, column in found.values.items()}
    masked = {name: np.ma.MaskedArray(values[name], gone) for name, gone in found.void.items()}
    return {**{name: np.asarray(getattr(found, name)) for name in TIMES}, **values, **masked}


def _judged(dictionary: Dictionary, blocks: Sequence[PacketColumns]) -> dict[str, Array]:
    """The columns of quality, of all blocks."""
    monitor, parts = QualityMonitor(dictionary), list[dict[str, Array]]()
    for block in blocks:
        found = judged(monitor, block)
        columns: dict[str, Array] = {
            quality_column(name): np.array(QUALITIES)[found.quality(name)] for name in found.checked
        }
        parts.append(columns | {REASONS: np.array(found.reasons(), np.str_)})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _in_words(column: Array, words: Mapping[int, str] | None) -> Array:
    if words is None:
        return np.asarray(column)
    if column.dtype.kind == "O":
        made = np.empty(len(column), object)
        for row, cell in enumerate(column):
            made[row] = _cell_in_words(cell, words)
        return made
    return np.array([words.get(number, str(number)) for number in column.tolist()], np.str_)


def _cell_in_words(cell: Any, words: Mapping[int, str]) -> Any:
    if isinstance(cell, list):
        return [_cell_in_words(each, words) for each in cell]
    return None if cell is None else words.get(cell, str(cell))


def _joined(parts: Sequence[Array]) -> Array:
    """The blocks of a column as one, without a mask if nothing is masked."""
    join: Callable[[Sequence[Array]], Any] = np.ma.concatenate
    joined = join(parts)
    return np.asarray(joined.data) if not np.ma.is_masked(joined) else joined
