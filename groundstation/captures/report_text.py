"""The counts of a capture as lines for people."""

from __future__ import annotations

from collections.abc import Sequence

from groundstation.captures.decoder import ChannelCount, DecodeReport
from groundstation.captures.decoders import Report
from groundstation.captures.packet_rows import ApidCount
from groundstation.captures.packets_decoder import PacketsReport
from groundstation.captures.tc_decoder import TcReport
from groundstation.formats.counted import counted
from groundstation.messages.lost_text import lost_text
from protocols.counts import NOTHING, Lost

_CHANNEL_HEADS = [
    "SCID",
    "VC",
    "frames",
    "idle frames",
    "duplicates",
    "late",
    "back",
    "gaps",
    "lost",
    "packets",
    "idle packets",
    "encapsulation",
    "dropped",
]
_TC_HEADS = ["SCID", "VC", "AD frames", "BD frames", "BC frames", "packets", "encapsulation", "dropped"]
_APID_HEADS = ["SCID", "VC", "APID", "name", "packets", "bad", "gaps", "missing", "back", "bytes"]


def report_lines(report: Report, name: str) -> list[str]:
    """The counts for people."""
    if isinstance(report, PacketsReport):
        return _packets_lines(report, name)
    return _tc_lines(report, name) if isinstance(report, TcReport) else _frames_lines(report, name)


def _packets_lines(r: PacketsReport, name: str) -> list[str]:
    lines = [
        f"{name}: {r.total} bytes",
        f"bytes: {r.good} good + {r.skipped} skipped + {r.pending} pending: {_balance(r.conserved)}",
        f"packets: {r.packets} space, {r.encapsulation_packets} encapsulation, {r.idle_packets} idle",
    ]
    lines += [f"packets that do not decode: {sum(r.bad.values())}{_shares(r.bad)}"] if r.bad else []
    lines += [f"the last {r.pending} bytes are not a whole packet"] if r.pending else []
    return lines + _table(_APID_HEADS, [_apid_cells(a) for a in r.apids])


def _tc_lines(r: TcReport, name: str) -> list[str]:
    lines = [
        f"{name}: {r.total} bytes",
        f"bytes: {r.good} good + {r.skipped} skipped + {r.pending} pending: {_balance(r.conserved)}",
    ]
    lines += [f"CLTUs: {sum(r.cltus.values())}{_shares(r.cltus)}, {r.corrected} bits corrected"] if r.cltus else []
    lines.append(f"frames: {r.frames} good, {sum(r.rejects.values())} rejected{_shares(r.rejects)}")
    lines += [f"packets dropped: {sum(r.drops.values())}{_shares(r.drops)}"] if r.drops else []
    lines += [f"packets that do not decode: {sum(r.bad.values())}{_shares(r.bad)}"] if r.bad else []
    rows = [[c.scid, c.vcid, c.ad, c.bd, c.bc, c.packets, c.encapsulation_packets, c.dropped] for c in r.channels]
    return lines + _table(_TC_HEADS, rows) + _table(_APID_HEADS, [_apid_cells(a) for a in r.apids])


def _balance(conserved: bool) -> str:
    return "conserved" if conserved else "NOT CONSERVED"


def _frames_lines(r: DecodeReport, name: str) -> list[str]:
    rejected, foreign = sum(r.rejects.values()), sum(r.foreign.values())
    lines = [
        f"{name}: {r.total} {r.unit}",
        f"{r.unit}: {r.good} good + {r.corrected} corrected + {r.rejected} rejected + {r.skipped} skipped"
        f" + {r.pending} pending: {_balance(r.conserved)}",
        f"frames: {r.frames} good ({r.asm_damaged} with a damaged ASM, {r.inverted} inverted),"
        f" {rejected} rejected{_shares(r.rejects)}, {foreign} foreign{_shares(r.foreign)},"
        f" {sum(c.idle_frames for c in r.channels)} idle",
        _counts_line(r),
    ]
    lines += [f"packets dropped: {sum(r.drops.values())}{_shares(r.drops)}"] if r.drops else []
    lines += [f"packets that do not decode: {sum(r.bad.values())}{_shares(r.bad)}"] if r.bad else []
    if r.pending:
        lines.append(f"the last {r.pending} {r.unit} are not a complete good frame")
    lines += _table(_CHANNEL_HEADS, [_channel_cells(c) for c in r.channels])
    return lines + _table(_APID_HEADS, [_apid_cells(a) for a in r.apids])


def _counts_line(report: DecodeReport) -> str:
    """What the counters of all frames say."""
    channels = report.channels
    lost = sum((Lost(c.lost, c.lost_certainty) for c in channels), NOTHING)
    words = {"duplicate": sum(c.duplicates for c in channels), "late": sum(c.late for c in channels)}
    words |= {"stepped back": sum(c.steps_back for c in channels)}
    counts = ", ".join(f"{count} {word}" for word, count in words.items())
    missing = sum(c.lost_at_restart for c in channels)
    restarts = counted(report.restarts, "restart") + (
        f" ({counted(missing, 'frame')} missing there)" if missing else ""
    )
    return f"counters: {lost_text(lost.count, lost.certainty)} lost, {counts}, {restarts}"


def _channel_cells(c: ChannelCount) -> list[object]:
    cells: list[object] = [c.scid, c.vcid, c.frames, c.idle_frames, c.duplicates, c.late, c.steps_back, c.gaps]
    lost = lost_text(c.lost, c.lost_certainty)
    return [*cells, lost, c.packets, c.idle_packets, c.encapsulation_packets, c.dropped]


def _apid_cells(a: ApidCount) -> list[object]:
    missing = lost_text(a.missing, a.missing_certainty)
    return [a.scid, a.vcid, a.apid, a.name, a.packets, a.bad, a.gaps, missing, a.steps_back, a.bytes]


def _shares(counts: dict[str, int]) -> str:
    return f" ({', '.join(f'{count} × {reason}' for reason, count in counts.items())})" if counts else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    if not rows:
        return []
    cells = [heads, *([("-" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["", *("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells)]
