"""The command ``groundstation decode``: a capture to counts and packets."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec

from groundstation.captures.decoders import Report, make_decoder
from groundstation.captures.files import Capture
from groundstation.captures.packet_files import JsonLines, NoSink, PacketSink, ParquetFile
from groundstation.captures.packet_rows import CapturedPacket, packet_row
from groundstation.captures.report_text import report_lines
from groundstation.cli.guess import print_guess, require_fit
from groundstation.cli.options.mission import VARIABLE, mission_for, warn_of_problems
from groundstation.cli.options.named import Choice
from groundstation.errors import CallerError, NothingDecoded, WorldError
from groundstation.exit_codes import READING, exit_codes
from groundstation.formats.byte_source import STDIN
from groundstation.formats.json_output import echo_json
from groundstation.formats.output import echo, paint
from groundstation.formats.output_file import OutputFile, writing
from groundstation.formats.text_file import read_text
from groundstation.host.service import Interrupts
from protocols.capture_profile import CaptureProfile, PacketsProfile
from protocols.declare.loading import DEFAULT, load_mission
from protocols.declare.mission import Mission
from protocols.errors import DeclarationError, ProtocolError
from protocols.profile import UART, LinkProfile
from protocols.profile_text import read_profile
from protocols.sync.bit_sync import BitForm

PAINT_EVERY_S = 0.2
_STDOUT = Path("-")
_PACKETS = Path("packets")


class ProfilePath(click.Path):
    """A file, or a profile that needs none: ``packets``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        return _PACKETS if str(value) == str(_PACKETS) and not _PACKETS.exists() else super().convert(value, param, ctx)


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
        if not self._shown or now - self._painted < PAINT_EVERY_S:
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
    type=ProfilePath(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="Link profile in TOML, or the word packets for a file of bare packets. [default: the mission's]",
)
@click.option(
    "--mission",
    "--dictionary",
    "mission_name",
    metavar="NAME",
    envvar=VARIABLE,
    help="An installed mission, module:NAME, or a file. [default: that of a recording, or mars6; with --link-profile "
    "packets stay raw]",
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
@click.option(
    "--guess",
    "guessing",
    is_flag=True,
    help="Print what kind of file FILE is, with the evidence, and the link profile that reads it.",
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
    guessing: bool,
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
      groundstation decode --guess capture.bin | tee profile.toml
      groundstation decode capture.bin --link-profile profile.toml
      groundstation decode jpss.pkts --mission jpss.xml --link-profile packets --jsonl -
      groundstation decode capture.bin --frames | jq -c '[.vcid, .vcfc, .clcw.report]'
    """
    file, frames = _file_of(file, frames)
    if guessing:
        if profile_path or bits or jsonl or parquet or frames:
            raise click.UsageError("--guess takes FILE and --json alone")
        print_guess(file, as_json=as_json)
        return
    _check_outputs(jsonl, parquet, frames)
    given = None if mission_name is None else load_mission(mission_name)
    chosen = None if profile_path is None else _profile(profile_path)
    to_stdout = _STDOUT in (jsonl, frames)
    outs = [out for out in (jsonl, parquet, frames) if out not in (None, _STDOUT)]
    with closing(Capture(file, text=bits != "one-per-byte")) as capture, writing(*outs):
        _refuse_input(capture, outs)
        mission = _mission(capture, given, raw=chosen is not None)
        profile = _with_bits(chosen or (UART if mission is None else mission.link_profile), bits)
        dictionary = None if mission is None else mission.dictionary
        with _frame_sink(frames, force) as frame_sink, _sink(jsonl, parquet, force) as sink:
            rows: list[msgspec.Struct] = []
            decoder = make_decoder(profile, dictionary, bits or "packed", rows.append if frames else None)

            def write(packets: list[CapturedPacket]) -> None:
                if jsonl or parquet:
                    sink.write([packet_row(each) for each in packets])
                frame_sink.write(rows)
                rows.clear()

            require_fit(capture, profile)
            # Rows on the same terminal come in pieces of a buffer: a line between them would spoil one.
            with closing(Progress(capture.size, quiet=to_stdout and sys.stdout.isatty())) as progress:
                stopped = _feed(capture, lambda data, ert: write(decoder.feed(data, ert)), progress)
                write(decoder.finish())
            _show_report(decoder.report(), capture.name, as_json, err=to_stdout)
            trouble = decoder.trouble()
            if trouble is not None and stopped is None:
                lack = f"; it {capture.lack}" if capture.lack else ""
                raise NothingDecoded(f"{capture.name}: {trouble}{lack}")
        if stopped is None:
            capture.require_whole()
    if stopped is not None:
        raise stopped


def _check_outputs(jsonl: Path | None, parquet: Path | None, frames: Path | None) -> None:
    if jsonl and parquet:
        raise click.UsageError("--jsonl and --parquet exclude each other")
    if jsonl == frames == _STDOUT:
        raise click.UsageError("--jsonl and --frames cannot both go to standard output: give one of them a file")


def _show_report(report: Report, name: str, as_json: bool, *, err: bool) -> None:
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


def _mission(capture: Capture, given: Mission | None, *, raw: bool) -> Mission | None:
    """What packets mean: the mission that is given, or that of a recording; None: they stay raw."""
    mission = given
    if capture.recording is not None and (given is not None or not raw):
        mission = mission_for(capture.recording, given)
    elif given is None and not raw:
        mission = load_mission(DEFAULT)
    if mission is not None and mission is given:
        warn_of_problems(mission)
    return mission


def _profile(path: Path) -> CaptureProfile:
    if path == _PACKETS and not path.exists():
        return PacketsProfile()
    text = read_text(path)
    try:
        return read_profile(text)
    except DeclarationError as error:
        raise DeclarationError(str(path), str(error)) from error


def _with_bits(profile: CaptureProfile, bits: BitForm | None) -> CaptureProfile:
    if bits and not isinstance(profile, LinkProfile):
        raise CallerError(f"--bits is for frames with an ASM, not for kind = {profile.kind!r}")
    return replace(profile, alignment="bit") if bits and isinstance(profile, LinkProfile) else profile


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
