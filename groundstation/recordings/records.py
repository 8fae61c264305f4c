"""What goes into a recording and comes out of it again, beside raw bytes."""

from __future__ import annotations

from typing import NamedTuple, get_args

import msgspec

from protocols.words import FrameQuality

Value = int | float | str | bytes | None
"""What SQLite may give, whatever a column is declared to hold."""


QUALITIES: tuple[FrameQuality, ...] = get_args(FrameQuality)
GOOD_QUALITIES: tuple[FrameQuality, ...] = ("GOOD", "CORRECTED")


class NamedLink(NamedTuple):
    """One link of a station, by the name that tells it from the others."""

    name: str
    url: str


class LinkCounts(NamedTuple):
    """What a link of several brought: bytes, frames that it brought first, later copies, rejected ones, and good ones
    that are not of the mission: of another spacecraft or channel."""

    link: NamedLink
    bytes: int
    first: int
    copies: int
    rejected: int
    foreign: int


class EventRecord(NamedTuple):
    """One recorded event. ``id`` is its place in the ingest sequence, ``body`` JSON."""

    id: int
    ert: int
    scet: int | None
    kind: str
    body: bytes


class FrameEntry(NamedTuple):
    """One frame, good or rejected, as it goes into the index.

    It starts at byte ``offset`` of the chunk with the id ``chunk`` and has ``size`` bytes, ASM included. ``scet``,
    ``vcid`` and ``vcfc`` are None where nothing reliable says them: in rejected frames, always.
    """

    ert: int
    scet: int | None
    vcid: int | None
    vcfc: int | None
    quality: FrameQuality
    chunk: int
    offset: int
    size: int


class FrameRecord(NamedTuple):
    """A `FrameEntry` with its place in the ingest sequence, ``id``."""

    id: int
    ert: int
    scet: int | None
    vcid: int | None
    vcfc: int | None
    quality: FrameQuality
    chunk: int
    offset: int
    size: int


class OnboardSpan(msgspec.Struct, frozen=True, order=True):
    """Onboard times without a hole of an hour or more: the first, the last, and how many frames say so."""

    first: int
    last: int
    frames: int
