"""hil/firmware/core as a library under UBSan, called through cffi; and the C lander with the Python one's manners."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cffi import FFI

from hil.lander.bus import FaultTrace

FIRMWARE = Path(__file__).resolve().parents[2] / "hil" / "firmware"
CORE = FIRMWARE / "core"
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-Wpedantic"]
SANITIZERS = "-fsanitize=undefined -fsanitize-undefined-trap-on-error"
"""A trap ends the test run on the spot: no undefined behaviour passes for a warning. FIRMWARE_CFLAGS adds to them."""

READY, RUNNING, HELD = 0, 1, 2

_BODY = re.compile(r"static inline [^;]*?\n\{.*?\n\}\n", re.DOTALL)
_TYPES = {"stdint.h", "stdbool.h", "stddef.h"}
"""What cffi knows without them."""


def build(folder: Path, defines: tuple[str, ...] = ()) -> Path:
    """The library, compiled in ``folder``: one compiler call for all sources."""
    library = folder / "core.so"
    flags = [*SANITIZERS.split(), *os.environ.get("FIRMWARE_CFLAGS", "-O1").split()]
    sources = [str(source) for source in sorted(CORE.glob("*.c"))]
    command = ["gcc", "-std=c11", "-g", *WARNINGS, *flags, *defines, "-shared", "-fPIC", "-o", str(library), *sources]
    subprocess.run(command, cwd=folder, check=True)
    return library


def declarations(folder: Path, defines: tuple[str, ...] = ()) -> str:
    """All headers of the core as cffi reads them: preprocessed, without bodies and system types."""
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    for name in _TYPES:
        (empty / name).write_text("", encoding="utf-8")
    names = sorted(header.name for header in CORE.glob("*.h") if header.name != "bytes.h")
    together = "".join(f'#include "{CORE / name}"\n' for name in names)
    command = ["gcc", "-E", "-P", "-nostdinc", "-I", str(empty), "-D", "INT32_C(x)=x", *defines, "-"]
    text = subprocess.run(command, input=together, capture_output=True, text=True, check=True).stdout
    return _BODY.sub("", text)


class Core:
    """The library: ``lib`` has the functions, ``ffi`` the types."""

    def __init__(self, folder: Path, defines: tuple[str, ...] = ()) -> None:
        self.ffi = FFI()
        self.ffi.cdef(declarations(folder, defines))
        self.lib: Any = self.ffi.dlopen(str(build(folder, defines)))

    def new(self, kind: str) -> Any:
        """A struct, all zero."""
        return self.ffi.new(f"struct {kind} *")

    def fields(self, struct: Any) -> dict[str, int]:
        """A flat struct as a dictionary."""
        return {name: getattr(struct, name) for name, _ in self.ffi.typeof(struct).item.fields}


class CLander:
    """The C lander, used like `hil.lander.spacecraft.Spacecraft`: ``receive`` and ``step`` give what is sent."""

    def __init__(self, core: Core) -> None:
        self._core, self._sent = core, bytearray()
        self.raw = core.new("lander")
        self._send = core.ffi.callback("lander_send", self._receive)
        core.lib.lander_init(self.raw, self._send, core.ffi.NULL)

    def _receive(self, port: Any, data: Any, length: int) -> None:
        self._sent += self._core.ffi.buffer(data, length)

    def _flush(self) -> bytes:
        sent, self._sent = bytes(self._sent), bytearray()
        return sent

    def start(self) -> None:
        self._core.lib.lander_start(self.raw)

    def receive(self, data: bytes) -> bytes:
        self._core.lib.lander_receive(self.raw, data, len(data))
        return self._flush()

    def step(self) -> bytes:
        self._core.lib.lander_step(self.raw)
        return self._flush()

    def hello(self, reset_reason: int, build_id: int, fault: FaultTrace | None = None) -> bytes:
        trace = self._core.ffi.NULL if fault is None else self._core.ffi.new("struct fault *", asdict(fault))
        self._core.lib.lander_hello(self.raw, reset_reason, build_id, trace)
        return self._flush()

    @property
    def mode(self) -> int:
        return int(self.raw.mode)

    @property
    def tick(self) -> int:
        return int(self.raw.tick)

    @property
    def step_pending(self) -> bool:
        return bool(self._core.lib.lander_step_pending(self.raw))

    @property
    def period_us(self) -> int:
        return int(self._core.lib.lander_period_us(self.raw))

    @property
    def finished(self) -> bool:
        return bool(self._core.lib.lander_finished(self.raw))
