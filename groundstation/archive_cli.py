"""Commands on recordings: ``passes``, ``info``, ``export`` and ``salvage``."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import click

from groundstation.archive.paths import passes_folder
from groundstation.archive.reader import ArchiveReader
from groundstation.decode_cli import Progress
from groundstation.errors import ArchiveError, CallerError
from groundstation.exporting import FORMATS, Format, export
from groundstation.output import echo, echo_json
from groundstation.passes import PassSummary, info_lines, pass_lines, summarise
from groundstation.printable import encodable
from groundstation.salvage import salvage
from groundstation.salvaged import salvage_lines
from protocols.lander import MARS6
from protocols.nearest import nearest
from protocols.profile import UART

_archive = click.argument("archive", type=click.Path(path_type=Path))
_json = click.option("--json", "as_json", is_flag=True, help="As JSON, one object a line.")

_EXPORT_EPILOG = """
\b
Exit codes: 0 fine, 2 wrong usage or a table exists, 14 the recording cannot be read or a table cannot be written,
130 interrupted.
"""


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@_json
def passes(folder: Path | None, as_json: bool) -> None:
    """List the recordings in FOLDER; without it, those of this user.

    What cannot be read is listed with the reason.
    """
    if folder is not None and not os.path.isdir(folder):
        raise CallerError(f"no such folder: {folder}")
    where = folder or passes_folder()
    found = [_summary(path) for path in sorted(where.glob("*.sqlite"))]
    if as_json:
        for item in found:
            echo_json({"error": item} if isinstance(item, str) else item)
        return
    echo(*pass_lines(found) or [f"no recording in {where}"])


def _summary(path: Path) -> PassSummary | str:
    """What a recording holds, or why that cannot be said."""
    try:
        with ArchiveReader(path) as reader:
            return summarise(reader)
    except ArchiveError as error:
        return encodable(error)


@click.command()
@_archive
@_json
def info(archive: Path, as_json: bool) -> None:
    """Say what is in ARCHIVE: when, from where, how much, what was lost and what is missing."""
    with ArchiveReader(archive) as reader:
        summary = summarise(reader)
    if as_json:
        echo_json(summary)
    else:
        echo(*info_lines(summary, MARS6.hash_text))


@click.command("export", epilog=_EXPORT_EPILOG)
@_archive
@click.option("--to", "form", type=click.Choice(FORMATS), required=True, help="What to write.")
@click.option("--packets", metavar="NAME,NAME", help="Which packet types. [default: all that occur]")
@click.option("--output", type=click.Path(path_type=Path), help="Folder. [default: beside the recording]")
@click.option("--force", is_flag=True, help="Overwrite tables of an earlier export.")
def export_command(archive: Path, form: Format, packets: str | None, output: Path | None, force: bool) -> None:
    """Write the packets of ARCHIVE as tables, a file for each packet type.

    Columns are both times, the quality, and calibrated values. Only packets of good frames are in it.
    """
    folder = output or archive.absolute().parent
    names = None if packets is None else _packet_names(packets)
    with ArchiveReader(archive) as reader:
        _warn_of_other_dictionary(reader)
        with closing(Progress(reader.bytes_total)) as progress:
            rows = export(reader, MARS6, UART, form, folder, names, progress.advance, force=force)
    for path, count in rows.items():
        echo(f"{path}: {count} rows")
    if not rows:
        echo("no such packet in a good frame: nothing was written")


@click.command("salvage")
@_archive
@_json
def salvage_command(archive: Path, as_json: bool) -> None:
    """Decode the rejected and cut-off frames of ARCHIVE field by field, each value with its quality and why.

    These values are never among the good ones: no other command shows them.
    """
    count = 0
    with ArchiveReader(archive) as reader:
        _warn_of_other_dictionary(reader)
        with closing(Progress(reader.bytes_total)) as progress:
            for frame in salvage(reader, MARS6, UART, progress.advance):
                count += 1
                progress.clear()
                if as_json:
                    echo_json(frame)
                else:
                    echo(*salvage_lines(frame), "")
    if not as_json:
        echo(f"{count} frames rejected or cut off" if count else "no frame was rejected, none is cut off")


def _warn_of_other_dictionary(reader: ArchiveReader) -> None:
    """Tell whoever decodes a recording that its packets were declared otherwise than here."""
    meta = reader.meta()
    theirs = meta.get("dictionary_hash", MARS6.hash_text)
    if theirs != MARS6.hash_text:
        recorded = f"{reader.path} was recorded with dictionary {theirs} of {meta.get('mission', '?')}"
        here = f"decoded with {MARS6.hash_text} of {MARS6.name}"
        echo(f"{recorded}, {here}: values may be wrong", err=True)


def _packet_names(text: str) -> list[str]:
    names = [name.strip().upper() for name in text.split(",")]
    for name in names:
        if name not in MARS6.by_name:
            raise CallerError(f"no packet {name!r}{nearest(name, MARS6.by_name)}")
    return names
