"""A recording for scripts: what it is of, its packets as columns, its events and losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy.typing as npt

from groundstation.analysis.packet_table import PacketTable, read_packets
from groundstation.analysis.recorded_mission import recorded_mission
from groundstation.messages.wire import EventMessage, LosVerdict
from groundstation.recordings.export.columns import frame_columns
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.summary import PassSummary, summarise
from protocols.declare.loading import load_mission
from protocols.declare.mission import Mission


class Recording:
    """An open recording; also one that a station still writes. Use it in a ``with`` block, or `close` it.

    Attributes:
        mission: that decodes it.
        warning: the mission's dictionary is not the one that it was recorded with: in words; else "".
    """

    def __init__(self, reader: ArchiveReader, mission: Mission | None = None) -> None:
        """Args: the reader, which is closed with this; the mission, by default an installed one that recorded it."""
        self._reader = reader
        self.mission, self.warning = recorded_mission(reader, mission)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<recording {self.path}, {self.mission.name}>"

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    @property
    def path(self) -> Path:
        """The file."""
        return self._reader.path

    @property
    def meta(self) -> Mapping[str, str]:
        """Who recorded what: station, link, mission, dictionary_hash, and more."""
        return self._reader.meta()

    def summary(self) -> PassSummary:
        """What ``groundstation info`` prints.

        Raises:
            ArchiveError: it cannot be read.
        """
        return summarise(self._reader)

    def packets(self, name: str) -> PacketTable:
        """All packets of one type in good frames, as columns.

        Raises:
            CallerError: the mission has no such packet.
            ArchiveError: it cannot be read.
        """
        return read_packets(self._reader, self.mission, name)

    def frames(self) -> dict[str, npt.NDArray[Any]]:
        """The index of frames as columns, good and rejected: id, ert, scet, vcid, vcfc, quality and more.

        Raises:
            ArchiveError: it has no index, or cannot be read.
        """
        return dict(frame_columns(self._reader))

    def events(self) -> Iterator[EventMessage]:
        """Events on board and of the station, in the order they were received.

        Raises:
            ArchiveError: it cannot be read.
        """
        for record in self._reader.events("event"):
            event = self._reader.body(record, EventMessage)
            if event is not None:
                yield event

    def losses(self) -> list[LosVerdict]:
        """The verdicts on losses of signal, in order.

        Raises:
            ArchiveError: it cannot be read.
        """
        return self.summary().losses


def open_recording(path: str | Path, mission: Mission | str | Path | None = None) -> Recording:
    """Open a recording.

    Args:
        path: of the file.
        mission: that decodes it, or its name as `load_mission` takes it; by default the installed one that the
            recording names.

    Raises:
        ArchiveError: it cannot be opened or is not a recording.
        CallerError: it is of a mission that is not installed.
        DeclarationError: no such mission.
    """
    chosen = load_mission(mission) if isinstance(mission, (str, Path)) else mission
    reader = ArchiveReader(Path(path))
    try:
        return Recording(reader, chosen)
    except BaseException:
        reader.close()
        raise
