"""Telemetry of a flight as columns, as its station received it: what tests compute with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from groundstation.errors import CallerError
from groundstation.recordings.export.columns import packet_columns
from groundstation.recordings.reader import ArchiveReader
from protocols.declare.mission import Mission
from protocols.decode.bulk_packets import labels
from protocols.lander import MISSION
from protocols.nearest import nearest

Array = npt.NDArray[Any]
_TIMES = ("scet", "ert", "vcid", "sequence")


class TelemetryColumns(Mapping[str, Array]):
    """Packets of one type: an array for each parameter, all of one length, in the order in which they were received.

    Beside the parameters: ``scet`` and ``ert`` (onboard time and time of reception in ns since 1970), ``vcid`` and
    ``sequence``. Values are calibrated, in the dictionary's units; those of an enumeration are its words. Where a
    parameter means nothing, since its flag says so, the array is masked.
    """

    def __init__(self, packet: str, columns: dict[str, Array]) -> None:
        """Args: the packet's name, and the columns by name."""
        self.packet = packet
        self._columns = columns

    def __getitem__(self, name: str) -> Array:
        """A column.

        Raises:
            KeyError: there is none of that name; with the nearest.
        """
        if name not in self._columns:
            raise KeyError(f"{self.packet} has no parameter {name!r}{nearest(name, self._columns)}")
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        """Number of columns."""
        return len(self._columns)

    @property
    def scet(self) -> Array:
        """Onboard times in ns."""
        return self._columns["scet"]

    @property
    def rows(self) -> int:
        """Packets."""
        return len(self.scet)

    def between(self, since: int | None, until: int | None) -> TelemetryColumns:
        """Those with an onboard time from one time on, and before another; None: no bound."""
        chosen = np.ones(self.rows, np.bool_)
        if since is not None:
            chosen &= self.scet >= since
        if until is not None:
            chosen &= self.scet < until
        return TelemetryColumns(self.packet, {name: column[chosen] for name, column in self._columns.items()})


def read_columns(recording: Path, packet: str, mission: Mission = MISSION) -> TelemetryColumns:
    """All packets of a type in good frames of a recording.

    Raises:
        CallerError: the dictionary has no such packet.
        ArchiveError: the recording cannot be read.
    """
    dictionary = mission.dictionary
    if packet not in dictionary.by_name:
        raise CallerError(f"unknown packet {packet!r}{nearest(packet, dictionary.by_name)}")
    declared = dictionary.by_name[packet]
    words = labels(declared)
    blocks: list[dict[str, Array]] = []
    with ArchiveReader(recording) as archive:
        for found in packet_columns(archive, dictionary, mission.link_profile, [packet]):
            values = {name: _in_words(column, words.get(name)) for name, column in found.values.items()}
            masked = {name: np.ma.MaskedArray(values[name], gone) for name, gone in found.void.items()}
            times = {name: np.asarray(getattr(found, name)) for name in _TIMES}
            blocks.append({**times, **values, **masked})
    if not blocks:
        names = [*_TIMES, *(parameter.name for parameter in declared.parameters)]
        return TelemetryColumns(packet, {name: np.empty(0, np.int64 if name in _TIMES else float) for name in names})
    return TelemetryColumns(packet, {name: _joined([block[name] for block in blocks]) for name in blocks[0]})


def _joined(parts: Sequence[Array]) -> Array:
    """The blocks of a column as one, without a mask if nothing is masked."""
    join: Callable[[Sequence[Array]], Any] = np.ma.concatenate
    masked = join(parts)
    return np.asarray(masked.data) if not np.ma.is_masked(masked) else masked


def _in_words(column: Array, words: Mapping[int, str] | None) -> Array:
    if words is None:
        return np.asarray(column)
    return np.array([words.get(number, str(number)) for number in column.tolist()], np.str_)
