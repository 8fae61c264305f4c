"""The command ``groundstation decode``: a capture to counts and packets."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import click

from groundstation.captures.decoder import ApidCount, CaptureDecoder, ChannelCount, DecodeReport
from groundstation.captures.files import Capture
from groundstation.captures.frame_rows import FrameRow
from groundstation.captures.packet_files import JsonLines, NoSink, PacketSink, ParquetFile
from groundstation.cli.options.mission import VARIABLE
from groundstation.cli.options.named import Choice
from groundstation.errors import CallerError, NothingDecoded, WorldError
from groundstation.exit_codes import READING, exit_codes
from groundstation.formats.byte_source import STDIN
from groundstation.formats.json_output import echo_json
from groundstation.formats.output import echo, paint
from groundstation.formats.output_file import OutputFile, writing
from groundstation.formats.text_file import read_text
from groundstation.host.service import Interrupts
from groundstation.messages.lost_text import lost_text
from protocols.counts import NOTHING, Lost
from protocols.declare.loading import DEFAULT, load_mission
from protocols.declare.mission import Mission
from protocols.errors import DeclarationError, ProtocolError
from protocols.profile import UART, LinkProfile, profile_from_toml
from protocols.sync.bit_sync import BitForm

_PAINT_EVERY_S = 0.2
_STDOUT = Path("-")
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
_APID_HEADS = ["SCID", "VC", "APID", "name", "packets", "bad", "gaps", "missing", "back", "bytes"]


class Progress:
    """A progress line on standard error; nothing if standard error is not a terminal.

    Code that prints something else clears it first; it comes back by itself. ``quiet``: not at all.
    """

    def __init__(self, size: int | None, *, quiet: bool = False) -> None:
        self._size = size
        self._done = 0
        self._shown = sys.stderr.isatty() and not quiet
        self._visible = False
        self._start = self._painted = time.monotonic()

    def advance(self, count: int) -> None:
        """``count`` more bytes are decoded."""
        self._done += count
        now = time.monotonic()
        if not self._shown or now - self._painted < _PAINT_EVERY_S:
            return
        self._painted, self._visible = now, True
        rate = self._done / (now - self._start) / 1e6
        share = f"{min(1.0, self._done / self._size):5.0%}  " if self._size else ""
        paint(f"{share}{self._done / 1e6:.0f} MB  {rate:.1f} MB/s ")

    def clear(self) -> None:
        """Take the line away until the next one is due."""
        if self._visible:
            paint("")
        self._visible = False

    def close(self) -> None:
        """Take the line away."""
        self.clear()


@click.command(epilog=exit_codes(*READING, WorldError, ProtocolError, NothingDecoded))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path), required=False)
@click.option(
    "--link-profile",
    "--profile",
    "profile_path",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="Link profile in TOML. [default: the mission's]",
)
@click.option(
    "--mission",
    "--dictionary",
    "mission_name",
    metavar="NAME",
    envvar=VARIABLE,
    help="An installed mission, module:NAME, or a file. [default: mars6; with --link-profile packets stay raw]",
)
@click.option(
    "--bits", type=Choice(["packed", "one-per-byte"]), help="FILE is a stream of bits, packed or one per byte."
)
@click.option(
    "--jsonl",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Write packets as JSON lines; - is standard output.",
)
@click.option("--parquet", type=click.Path(path_type=Path), help="Write packets as Parquet.")
@click.option(
    "--frames",
    type=click.Path(path_type=Path, allow_dash=True),
    is_flag=False,
    flag_value="-",
    help="Write frames as JSON lines, good and rejected: headers, flags, quality, CLCW, insert zone, encapsulation "
    "packets. Without PATH, or with -, here.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
@click.option("--force", is_flag=True, help="Overwrite a file of that name.")
def decode(
    file: Path | None,
    profile_path: Path | None,
    mission_name: str | None,
    bits: BitForm | None,
    jsonl: Path | None,
    parquet: Path | None,
    frames: Path | None,
    as_json: bool,
    force: bool,
) -> None:
    """Decode FILE, a capture of raw bytes or bits or a recording of the station, and count what is in it.

    FILE may be a pipe, a FIFO or a socket; - is standard input. Ctrl-C ends what has no end, with its counts.

    \b
    Examples:
      groundstation decode capture.bin
      groundstation decode capture.bin --jsonl - | jq .values
      zcat capture.bin.gz | groundstation decode -
      nc HOST 5000 | groundstation decode - --jsonl packets.jsonl
      groundstation decode capture.bin --frames | jq -c '[.vcid, .vcfc, .clcw.report]'
    """
    file, frames = _file_of(file, frames)
    if jsonl and parquet:
        raise click.UsageError("--jsonl and --parquet exclude each other")
    if jsonl == frames == _STDOUT:
        raise click.UsageError("--jsonl and --frames cannot both go to standard output: give one of them a file")
    mission = None if mission_name is None and profile_path else load_mission(mission_name or DEFAULT)
    profile = _profile(profile_path, mission, bits)
    dictionary = None if mission is None else mission.dictionary
    to_stdout = _STDOUT in (jsonl, frames)
    outs = [out for out in (jsonl, parquet, frames) if out not in (None, _STDOUT)]
    with closing(Capture(file)) as capture, writing(*outs):
        _refuse_input(capture, outs)
        with _frame_sink(frames, force) as frame_sink, _sink(jsonl, parquet, force) as sink:
            rows: list[FrameRow] = []
            decoder = CaptureDecoder(profile, dictionary, bits or "packed", rows.append if frames else None)

            def take(data: bytes, ert: int | None) -> None:
                sink.write(decoder.feed(data, ert))
                frame_sink.write(rows)
                rows.clear()

            # Rows on the same terminal come in pieces of a buffer: a line between them would spoil one.
            with closing(Progress(capture.size, quiet=to_stdout and sys.stdout.isatty())) as progress:
                stopped = _feed(capture, take, progress)
            _show_report(decoder.report(), capture.name, as_json, err=to_stdout)
            trouble = decoder.trouble()
            if trouble is not None and stopped is None:
                lack = f"; it {capture.lack}" if capture.lack else ""
                raise NothingDecoded(f"{capture.name}: {trouble}{lack}")
        if stopped is None:
            capture.require_whole()
    if stopped is not None:
        raise stopped


def _show_report(report: DecodeReport, name: str, as_json: bool, *, err: bool) -> None:
    if as_json:
        echo_json(report, err=err)
    else:
        echo(*report_lines(report, name), err=err)


def _file_of(file: Path | None, frames: Path | None) -> tuple[Path, Path | None]:
    """What to read, and where frames go: ``--frames FILE`` alone names what to read."""
    if file is None and frames is not None and frames != _STDOUT:
        file, frames = frames, _STDOUT
    if file is None:
        raise click.UsageError("Missing argument 'FILE'.")
    if file != STDIN and not file.exists():
        raise click.UsageError(f"File '{file}' does not exist.")
    return file, frames


def _feed(
    capture: Capture, take: Callable[[bytes, int | None], None], progress: Progress
) -> WorldError | click.Abort | None:
    """Decode to the end; what ended it earlier, if anything did."""
    pieces = capture.pieces()
    with Interrupts() as interrupts:
        while True:
            try:
                with interrupts.heeded():
                    piece = next(pieces, None)
            except KeyboardInterrupt:
                return click.Abort()
            except WorldError as error:
                return error
            if piece is None:
                return None
            ert, data = piece
            take(data, ert)
            progress.advance(len(data))


def report_lines(report: DecodeReport, name: str) -> list[str]:
    """The counts for people."""
    r = report
    rejected, foreign = sum(r.rejects.values()), sum(r.foreign.values())
    balance = "conserved" if r.conserved else "NOT CONSERVED"
    lines = [
        f"{name}: {r.total} {r.unit}",
        f"{r.unit}: {r.good} good + {r.corrected} corrected + {r.rejected} rejected + {r.skipped} skipped"
        f" + {r.pending} pending: {balance}",
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
    at_restart = f" ({missing} frames missing there)" if missing else ""
    return f"counters: {lost_text(lost.count, lost.certainty)} lost, {counts}, {report.restarts} restarts{at_restart}"


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


def _profile(path: Path | None, mission: Mission | None, bits: BitForm | None) -> LinkProfile:
    profile = UART if mission is None else mission.link_profile
    if path is not None:
        text = read_text(path)
        try:
            profile = profile_from_toml(text)
        except DeclarationError as error:
            raise DeclarationError(str(path), str(error)) from error
    return replace(profile, alignment="bit") if bits else profile


def _refuse_input(capture: Capture, outs: Sequence[Path]) -> None:
    for out in outs:
        if capture.is_same_file(out):
            raise CallerError(f"{out} is the capture itself")


@contextmanager
def _sink(jsonl: Path | None, parquet: Path | None, force: bool) -> Iterator[PacketSink]:
    """Where packets go; a file gets its name when all of them are in it, and if there are any."""
    out = jsonl or parquet
    if out is None:
        yield NoSink()
    elif out == _STDOUT and jsonl is not None:
        yield JsonLines(sys.stdout.buffer)
    else:
        with OutputFile(out, force=force) as output, (ParquetFile if parquet else JsonLines)(output.file) as sink:
            yield sink


@contextmanager
def _frame_sink(frames: Path | None, force: bool) -> Iterator[JsonLines | NoSink]:
    """Where the rows of frames go."""
    if frames is None:
        yield NoSink()
    elif frames == _STDOUT:
        yield JsonLines(sys.stdout.buffer)
    else:
        with OutputFile(frames, force=force) as output:
            yield JsonLines(output.file)
