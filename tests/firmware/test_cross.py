"""The core for the small machines: it compiles as strictly there, and keeps to their memory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.firmware.core import CORE, FIRMWARE, WARNINGS
from tests.firmware.tools import need

MACHINES = {
    "avr-gcc": ["-mmcu=atmega328p", "-mcall-prologues", "-DLANDER_DESCENT_ONLY"],
    "arm-none-eabi-gcc": ["-mcpu=cortex-m4", "-mthumb", "-ffreestanding", "-nostdinc"],
}
TEXT_MAX = {"avr-gcc": 29_500, "arm-none-eabi-gcc": 29_000}
"""Bytes of flash for the core alone: libgcc and port have to fit beside it into 31 KB and 32 KB."""
STATE_MAX = {"avr-gcc": 1_440, "arm-none-eabi-gcc": 4_096}
"""Bytes of RAM of the whole machine: stack and the UART's ring have to fit beside it into 1.8 KB and 8 KB."""


@pytest.mark.parametrize("compiler", MACHINES)
def test_it_fits(compiler: str, tmp_path: Path) -> None:
    need(compiler, packages="gcc-avr avr-libc gcc-arm-none-eabi")
    flags = ["-std=c11", "-Os", *WARNINGS, "-Wstack-usage=128", *MACHINES[compiler], "-I", str(FIRMWARE)]
    if compiler.startswith("arm"):  # the compiler's own headers, and no library's
        own = subprocess.run([compiler, "-print-file-name=include"], capture_output=True, text=True, check=True)
        flags += ["-isystem", own.stdout.strip()]
    size = tmp_path / "size.c"
    size.write_text(
        f'#include "core/lander.h"\n_Static_assert(sizeof(struct lander) <= {STATE_MAX[compiler]}, "RAM");\n'
    )
    sources = [str(source) for source in sorted(CORE.glob("*.c"))]
    subprocess.run([compiler, *flags, "-c", str(size), *sources], cwd=tmp_path, check=True)
    objects = [str(path) for path in tmp_path.glob("*.o")]
    told = subprocess.run([compiler.replace("gcc", "size"), "-t", *objects], capture_output=True, text=True, check=True)
    text, data, bss = (int(figure) for figure in told.stdout.splitlines()[-1].split()[:3])
    assert text <= TEXT_MAX[compiler]
    assert (data, bss) == (0, 0)
