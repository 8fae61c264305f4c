"""Commands on recordings: ``passes``, ``info``, ``export``, ``salvage`` and ``copy``."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from groundstation.analysis.recorded_mission import installed_mission
from groundstation.cli.decode import Progress
from groundstation.cli.options.completion import recordings
from groundstation.cli.options.mission import mission_for, recorded_mission_option
from groundstation.cli.options.named import Choice
from groundstation.errors import ArchiveError, CallerError, NotARecording, PartlyRead
from groundstation.exit_codes import READING, exit_codes
from groundstation.formats.counted import counted
from groundstation.formats.json_output import echo_json
from groundstation.formats.output import echo
from groundstation.formats.printable import encodable
from groundstation.host.clock import host_clock
from groundstation.recordings.copy import copy_recording
from groundstation.recordings.damaged.mending import MendingSalvager, total
from groundstation.recordings.damaged.salvage import salvage
from groundstation.recordings.damaged.salvage_records import salvage_lines, summary_lines
from groundstation.recordings.export.tables import FORMATS, Format, export
from groundstation.recordings.mission_facts import XTCE
from groundstation.recordings.paths import passes_folder
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.summary import PassSummary, info_lines, pass_lines, summarise
from protocols.declare.dictionary import Dictionary
from protocols.declare.mission import Mission
from protocols.nearest import nearest
from protocols.units import NS_PER_S

_archive = click.argument("archive", type=click.Path(path_type=Path), shell_complete=recordings)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per line.")


@click.command(epilog=exit_codes(*READING))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@_json
def passes(folder: Path | None, as_json: bool) -> None:
    """List the recordings in FOLDER; without it, those of this user.

    What cannot be read is listed with the reason.
    """
    if folder is not None and not os.path.isdir(folder):
        raise CallerError(f"no such folder: {folder}")
    where = folder or passes_folder()
    found = [_summary(path) for path in sorted({*where.glob("*.sqlite"), *_without_file(where)})]
    if as_json:
        for item in found:
            echo_json({"error": encodable(item)} if isinstance(item, ArchiveError) else item)
    else:
        shown = [item if isinstance(item, PassSummary) else str(item) for item in found]
        echo(*pass_lines(shown) or [f"no recording in {where}"])
    lacking = sum(_is_lacking(item) for item in found)
    if lacking:
        raise PartlyRead(f"{lacking} of {len(found)} recordings in {where} are damaged or incomplete")


def _without_file(folder: Path) -> list[Path]:
    """Recordings of which only the journal is there."""
    return [path.with_name(path.name.removesuffix("-wal")) for path in folder.glob("*.sqlite-wal")]


def _summary(path: Path) -> PassSummary | ArchiveError:
    """What a recording holds, or why that cannot be said."""
    try:
        with ArchiveReader(path) as reader:
            reader.check()
            return summarise(reader)
    except ArchiveError as error:
        return error


def _is_lacking(item: PassSummary | ArchiveError) -> bool:
    return bool(item.lack) if isinstance(item, PassSummary) else not isinstance(item, NotARecording)


@click.command(epilog=exit_codes(*READING))
@_archive
@recorded_mission_option
@click.option("--mended", is_flag=True, help="Also count what can be mended of rejected frames.")
@_json
def info(archive: Path, mission: Mission | None, mended: bool, as_json: bool) -> None:
    """Say what is in ARCHIVE: when, from where, how much, what was lost and what is missing.

    With --mended also what `salvage` can gain: it is never among the good frames.
    """
    with ArchiveReader(archive) as reader:
        reader.check()
        summary = summarise(reader)
        if as_json:
            echo_json(summary)
        else:
            known = mission or installed_mission(summary.mission, summary.dictionary_hash)
            own_hash = None if known is None else known.dictionary.hash_text
            echo(*info_lines(summary, own_hash, keeps_mission=XTCE in reader.meta()))
        if mended:
            salvagers = _salvagers(reader, mission_for(reader, mission))
            with closing(Progress(reader.bytes_total)) as progress:
                for _ in salvage(reader, salvagers, progress.advance):
                    pass
            _echo_summary(salvagers, as_json=as_json)
        reader.require_whole()


def _salvagers(reader: ArchiveReader, mission: Mission) -> list[MendingSalvager]:
    """One for each link of a recording."""
    links = max(1, len(reader.named_links()))
    return [MendingSalvager(mission.dictionary, mission.link_profile) for _ in range(links)]


def _echo_summary(salvagers: list[MendingSalvager], *, as_json: bool) -> None:
    summary = total([each.summary for each in salvagers])
    if as_json:
        echo_json(summary)
    else:
        echo(*summary_lines(summary))


@click.command("export", epilog=exit_codes(*READING))
@_archive
@click.option("--to", "form", type=Choice(FORMATS), required=True, help="Format of the tables.")
@click.option("--packets", metavar="NAME,NAME", help="Packet types to write. [default: all that occur]")
@click.option("--output", type=click.Path(path_type=Path), help="Folder. [default: beside the recording]")
@click.option("--mended", is_flag=True, help="Also write packets of damaged frames, as tables of their own.")
@click.option("--force", is_flag=True, help="Overwrite tables of an earlier export.")
@recorded_mission_option
def export_command(
    archive: Path,
    form: Format,
    packets: str | None,
    output: Path | None,
    mended: bool,
    force: bool,
    mission: Mission | None,
) -> None:
    """Write the packets of ARCHIVE as tables, a file for each packet type.

    Columns are both times, the quality, and calibrated values. Only packets of good frames are in it; with --mended
    those of damaged frames that came whole or were mended go into files named ARCHIVE-mended-PACKET.

    \b
    Examples:
      groundstation export pass.sqlite --to csv --packets DESCENT
      groundstation export pass.sqlite --to parquet --mended --output tables
    """
    folder = output or archive.absolute().parent
    with ArchiveReader(archive) as reader:
        reader.check()
        mission = mission_for(reader, mission)
        names = None if packets is None else _packet_names(packets, mission.dictionary)
        made = mission.dictionary, mission.link_profile
        with closing(Progress(reader.bytes_total)) as progress:
            rows = export(reader, *made, form, folder, names, progress.advance, force=force, mended=mended)
        for path, count in rows.items():
            echo(f"{path}: {counted(count, 'row')}")
        if not rows:
            echo("no such packet in a good frame: nothing was written")
        reader.require_whole()


@click.command("salvage", epilog=exit_codes(*READING))
@_archive
@recorded_mission_option
@click.option("--summary", "only_summary", is_flag=True, help="Print only the table at the end.")
@_json
def salvage_command(archive: Path, mission: Mission | None, only_summary: bool, as_json: bool) -> None:
    """Mend the rejected and cut-off frames of ARCHIVE, or decode them field by field.

    A frame is mended if its checksums agree after the one correction that fits: known content first (counters,
    times, constants), then the bits that the checksums locate. Each bit is listed with its evidence, each mend with
    an upper bound of the risk that it is wrong. Other frames are given field by field, each value with its quality
    and the reason. These values are never among the good ones.

    \b
    Examples:
      groundstation salvage pass.sqlite
      groundstation salvage pass.sqlite --summary
      groundstation salvage pass.sqlite --json | jq 'select(.mend.level == "MENDED")'
    """
    with ArchiveReader(archive) as reader:
        reader.check()
        mission = mission_for(reader, mission)
        salvagers = _salvagers(reader, mission)
        with closing(Progress(reader.bytes_total)) as progress:
            for frame in salvage(reader, salvagers, progress.advance):
                if only_summary:
                    continue
                progress.clear()
                if as_json:
                    echo_json(frame)
                else:
                    echo(*salvage_lines(frame), "")
        if only_summary or not as_json:
            _echo_summary(salvagers, as_json=as_json)
        reader.require_whole()


@click.command("copy", epilog=exit_codes(*READING))
@_archive
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite a file of that name.")
@click.option("--upgrade", is_flag=True, help="Write the copy in today's schema; the values are the same.")
def copy_command(archive: Path, target: Path, force: bool, upgrade: bool) -> None:
    """Copy ARCHIVE to TARGET, a file or a folder; also while its station writes it.

    The copy is one file with all that was committed when it began. Do not copy a recording that is being written by
    other means: its file alone lacks what is in the journal beside it.

    \b
    Examples:
      groundstation copy pass.sqlite /media/usb/
      groundstation copy pass.sqlite so-far.sqlite
      groundstation copy --upgrade of-last-year.sqlite of-last-year-3.sqlite
    """
    path = target / archive.name if target.is_dir() else target
    with ArchiveReader(archive) as reader:
        with closing(Progress(archive.stat().st_size)) as progress:
            copy_recording(reader, path, _now(), progress.advance, force=force, upgrade=upgrade)
        state = "" if reader.closed else ", as far as it was written by now"
        echo(f"{path}: a copy of {archive}{state}")
        reader.check()
        reader.require_whole()


def _now() -> str:
    return f"{datetime.fromtimestamp(host_clock() // NS_PER_S, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _packet_names(text: str, dictionary: Dictionary) -> list[str]:
    names = [name.strip().upper() for name in text.split(",")]
    for name in names:
        if name not in dictionary.by_name:
            raise CallerError(f"no packet {name!r}{nearest(name, dictionary.by_name)}")
    return names
