"""The option ``--image`` of all commands that fly."""

from __future__ import annotations

from pathlib import Path

import click

image_option = click.option(
    "--image",
    type=click.Path(path_type=Path),
    help="Firmware image, ELF or Intel HEX; for a board: the image that it should run. Default: the build or the "
    "prebuilt image that matches the sources.",
)
