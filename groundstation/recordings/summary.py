"""What a recording holds, in short: for the list of passes and for one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from groundstation.formats.printable import encodable, printable
from groundstation.messages.text import utc
from groundstation.messages.wire import Acknowledgement, ContactChange, LosVerdict
from groundstation.recordings.damaged.damage import Damage
from groundstation.recordings.event_bodies import Gap
from groundstation.recordings.opening import COPY_HINT, JOURNAL_WORDS, JournalState, journal_words
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import GOOD_QUALITIES, LinkCounts, OnboardSpan
from groundstation.recordings.schema import COPIED, GAP_KIND
from protocols.units import NS_PER_S

_SPANS_SHOWN = 5
T = TypeVar("T")
State = Literal["finished", "open"]


class PassSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One recording. Times in ns UTC since 1970; frames are None where the recording has no index of them.

    ``onboard`` is what most frames say; ``onboard_spans`` has all, as a clock that is not set says something else.

    ``state`` is ``open`` if no station closed it: it is still being written, or its station was killed or did not mark
    the end yet (older versions). ``copied`` is when this copy of such a one was made. ``journal`` is what became of its
    journal, ``damage`` what was found, and ``lack`` says in words what cannot be read; empty if nothing is missing.
    ``links`` says what each of several links brought; empty if there was one.
    """

    path: str
    schema_version: int
    state: State
    station: str
    link: str
    mission: str
    dictionary_hash: str
    received: tuple[int, int] | None
    onboard: tuple[int, int] | None
    onboard_spans: list[OnboardSpan]
    bytes: int
    frames_good: int | None
    frames_rejected: int | None
    frames: dict[str, int]
    losses: list[LosVerdict]
    acknowledgements: list[Acknowledgement]
    gaps: list[Gap]
    events: dict[str, int]
    copied: str | None
    journal: JournalState
    damage: Damage | None
    lack: str
    links: list[LinkCounts] = []


def summarise(reader: ArchiveReader) -> PassSummary:
    """Read what a recording holds.

    Raises:
        ArchiveError: it cannot be read.
    """
    spans = reader.onboard_spans()
    counts = reader.frame_counts() if reader.has_frames else {}
    losses, gaps = _losses(reader), _bodies(reader, GAP_KIND, Gap)
    acknowledgements = _bodies(reader, "acknowledgement", Acknowledgement)
    meta = reader.meta()
    good = sum(count for (_, quality), count in counts.items() if quality in GOOD_QUALITIES)
    return PassSummary(
        path=encodable(reader.path),
        schema_version=reader.schema_version,
        state="finished" if reader.closed else "open",
        station=meta.get("station", "?"),
        link=meta.get("link", "?"),
        mission=meta.get("mission", "?"),
        dictionary_hash=meta.get("dictionary_hash", "?"),
        received=reader.span(),
        onboard=main_span(spans),
        onboard_spans=spans,
        bytes=reader.bytes_total,
        frames_good=good if reader.has_frames else None,
        frames_rejected=sum(counts.values()) - good if reader.has_frames else None,
        frames={f"{'-' if vcid is None else f'VC{vcid}'} {quality}": n for (vcid, quality), n in counts.items()},
        losses=losses,
        acknowledgements=acknowledgements,
        gaps=gaps,
        events=reader.event_counts(),
        copied=meta.get(COPIED),
        journal=reader.journal,
        damage=reader.damage,
        lack=encodable(reader.lack),
        links=reader.link_counts(),
    )


def pass_lines(found: Sequence[PassSummary | str]) -> list[str]:
    """A list of recordings for people; text stands for one that cannot be read."""
    heads = ["WHEN (UTC)", "LINK", "DURATION", "FRAMES", "REJECTED", "LOSS OF SIGNAL", "RECORDING"]
    rows = [list(map(printable, _row(item))) for item in found if isinstance(item, PassSummary)]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    table = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in [heads, *rows]]
    return (table if rows else []) + [item for item in found if isinstance(item, str)]


def info_lines(summary: PassSummary, own_hash: str | None, *, keeps_mission: bool = False) -> list[str]:
    """All about one recording for people.

    Args:
        summary: of it.
        own_hash: that of the dictionary which this program decodes it with; None if it has none of that mission.
        keeps_mission: the recording itself describes its mission.
    """
    s = summary
    other = "" if s.dictionary_hash in ("?", own_hash) else f", not this program's {own_hash}: values may be wrong"
    if own_hash is None:
        advice = "read by the XTCE that it keeps" if keeps_mission else "name it with --mission"
        other = f", of a mission that is not installed: {advice}"
    lines = [
        f"{s.path}: schema {s.schema_version}, {_state(s)}",
        f"station {s.station}, link {s.link}, {s.mission}, dictionary {s.dictionary_hash}{other}",
    ]
    if s.received is not None:
        lines.append(f"received {_moment(s.received[0])} to {_moment(s.received[1])}, {_duration(s.received)}")
    lines += onboard_lines(s.onboard_spans)
    lines.append(f"{s.bytes} bytes")
    lines.append("frames: " + (", ".join(f"{n} {name}" for name, n in s.frames.items()) or "no index of frames"))
    lines += [_link_line(each) for each in s.links]
    lines.append("events: " + (", ".join(f"{n} {kind}" for kind, n in s.events.items()) or "none"))
    for verdict in s.losses:
        lines.append(f"loss of signal, {verdict.channel}: {_loss_words(verdict)}; {verdict.evidence}")
        seen = [each for each in s.acknowledgements if _covers(each, verdict)]
        lines += [f"  acknowledged {_moment(each.ert)} by {each.who}" for each in seen]
    lines += [f"not recorded: {gap}" for gap in s.gaps]
    lines += [] if s.damage is None else s.damage.lines()
    return lines if s.state == "finished" or s.copied else [*lines, COPY_HINT]


def _link_line(counts: LinkCounts) -> str:
    """What one of several links brought."""
    shares = f"{counts.first:,} frames first, {counts.copies:,} later copies, {counts.rejected:,} rejected"
    shares += f", {counts.foreign:,} of another spacecraft or channel" if counts.foreign else ""
    return f"link {counts.link.name}, {counts.link.url}: {counts.bytes:,} bytes, {shares}"


def _state(s: PassSummary) -> str:
    if s.state == "finished":
        return "closed by its station"
    if s.copied is not None:
        return f"a copy made {s.copied} of a recording that was not closed by then"
    if s.journal in JOURNAL_WORDS:
        return journal_words(s.journal, Path(s.path)).removeprefix("was ")
    if s.journal == "none":
        return "not closed: its station was killed"
    return "not closed: its station still writes, or was killed"


def main_span(spans: Sequence[OnboardSpan]) -> tuple[int, int] | None:
    """The first and the last onboard time of what most frames say."""
    main = max(spans, key=lambda span: span.frames, default=None)
    return None if main is None else (main.first, main.last)


def onboard_lines(spans: Sequence[OnboardSpan]) -> list[str]:
    """Onboard times for people: what most frames say, and what others say."""
    ordered = sorted(spans, key=lambda span: -span.frames)
    lines = [f"on board {_moment(span.first)} to {_moment(span.last)}" for span in ordered[:1]]
    for span in ordered[1 : _SPANS_SHOWN + 1]:
        frames = f"{span.frames} frames say" if span.frames > 1 else "1 frame says"
        until = f" to {_moment(span.last)}" if span.last > span.first else ""
        lines.append(f"on board, apart from these: {frames} {_moment(span.first)}{until}")
    rest = ordered[_SPANS_SHOWN + 1 :]
    if rest:
        lines.append(f"on board, apart from these: {sum(span.frames for span in rest)} frames say other times")
    return lines


def _row(s: PassSummary) -> list[str]:
    return [
        "-" if s.received is None else _moment(s.received[0]),
        _link_of(s),
        "-" if s.received is None else _duration(s.received),
        "-" if s.frames_good is None else str(s.frames_good),
        "-" if s.frames_rejected is None else str(s.frames_rejected),
        _loss_words(_main_loss(s.losses)) if s.losses else "none",
        f"{s.path}{_marks(s)}",
    ]


def _link_of(s: PassSummary) -> str:
    """The link without its settings, with a key of 64 digits: those are for `info`; of several links, their names."""
    return " + ".join(each.link.name for each in s.links) or s.link.partition("?")[0]


def _marks(s: PassSummary) -> str:
    marks = [] if s.state == "finished" else ["copy" if s.copied is not None else "open"]
    if s.journal in JOURNAL_WORDS:
        marks.append("without its journal")
    if s.damage is not None:
        marks.append("damaged" if s.damage.is_partial else "damaged, nothing missing")
    return f" ({', '.join(marks)})" if marks else ""


def _bodies(reader: ArchiveReader, kind: str, body: type[T]) -> list[T]:
    """The bodies of all events of a kind, but for those that cannot be decoded."""
    bodies = [reader.body(event, body) for event in reader.events(kind)]
    return [each for each in bodies if each is not None]


def _losses(reader: ArchiveReader) -> list[LosVerdict]:
    """The verdict of every loss of a channel; a revised one in its last version."""
    losses: list[LosVerdict] = []
    for event in reader.events("contact"):
        change = reader.body(event, ContactChange)
        if change is None or change.verdict is None or change.vcid is None:
            continue
        known = [n for n, loss in enumerate(losses) if loss.vcid == change.vcid]
        if change.revised and known:
            losses[known[-1]] = change.verdict
        else:
            losses.append(change.verdict)
    return losses


def _covers(acknowledgement: Acknowledgement, verdict: LosVerdict) -> bool:
    return (verdict.vcid, verdict.declared_ert) in [(loss.vcid, loss.declared_ert) for loss in acknowledgement.losses]


def _main_loss(losses: Sequence[LosVerdict]) -> LosVerdict:
    """The one a pass is about: the last of the channel that the plan speaks of, else the last of all."""
    return next((loss for loss in reversed(losses) if loss.planned_scet is not None), losses[-1])


def _loss_words(verdict: LosVerdict) -> str:
    when = "" if verdict.last_scet is None else f" after {utc(verdict.last_scet)}"
    plan = "" if verdict.planned_error_ms is None else f", {verdict.planned_error_ms:+d} ms off the plan"
    return f"{verdict.cause}{when}{plan}"


def _moment(time: int) -> str:
    return f"{datetime.fromtimestamp(time // NS_PER_S, UTC):%Y-%m-%d %H:%M:%S}"


def _duration(span: tuple[int, int]) -> str:
    seconds = (span[1] - span[0]) // NS_PER_S
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
