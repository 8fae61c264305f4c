"""The option ``--image`` of all commands that fly."""

from __future__ import annotations

from pathlib import Path

import click

image_option = click.option(
    "--image",
    type=click.Path(path_type=Path),
    help="Image of the firmware, ELF or Intel HEX; for a board: what it should be running. Default: the build here, or "
    "the prebuilt image, of the sources here.",
)
