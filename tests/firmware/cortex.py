"""The functions of the STM32 firmware, machine code as it is flashed, called one by one in an emulated core.

Used like `tests.firmware.core.Core`: what a pointer points to is copied in before a call and out after it. Layouts are
those of the host's compiler, so structs with pointers in them (struct lander) are not for this.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unicorn import UC_ARCH_ARM, UC_MODE_MCLASS, UC_MODE_THUMB, Uc
from unicorn.arm_const import (
    UC_ARM_REG_LR,
    UC_ARM_REG_R0,
    UC_ARM_REG_R1,
    UC_ARM_REG_R2,
    UC_ARM_REG_R3,
    UC_ARM_REG_SP,
    UC_CPU_ARM_CORTEX_M4,
)

from tests.firmware.core import Core
from tests.firmware.tools import make

FLASH, RAM, SIZE = 0x0800_0000, 0x2000_0000, 0x1_0000
STACK = RAM + SIZE
HOME = FLASH + SIZE - 4
"""Where calls return to: nothing is there."""
INSTRUCTIONS_MAX = 10_000_000
REGISTERS = (UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3)


class Cortex:
    """A Cortex-M4 with the firmware in its flash, and the calling convention of its ABI (AAPCS)."""

    def __init__(self, folder: Path) -> None:
        # Linked with what the firmware itself does not call, too.
        make("BOARD=stm32f4", f"BUILD={folder}", "LDFLAGS=-Wl,--no-gc-sections", "board")
        elf, image = folder / "lander.elf", folder / "lander.bin"
        named = subprocess.run(["arm-none-eabi-nm", str(elf)], check=True, capture_output=True, text=True).stdout
        self._symbols = {name: int(at, 16) for at, kind, name in map(str.split, named.splitlines()) if kind in "tT"}
        self._uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M4)
        self._uc.mem_map(FLASH, SIZE)
        self._uc.mem_map(RAM, SIZE)
        self._uc.mem_write(FLASH, image.read_bytes())

    def read(self, at: int, size: int) -> bytes:
        return bytes(self._uc.mem_read(at, size))

    def write(self, at: int, data: bytes) -> None:
        self._uc.mem_write(at, data)

    def call(self, name: str, arguments: list[tuple[int, int]]) -> int:
        """Call a function.

        Args:
            name: its symbol.
            arguments: of each the value and its size: 4 bytes, or 8 in an even pair of registers or on the stack.

        Returns:
            R0 and R1.
        """
        words: list[int] = []
        for value, size in arguments:
            words += [0] * (size == 8 and len(words) % 2)
            words += [value >> shift & 0xFFFF_FFFF for shift in range(0, 8 * size, 32)]
        for register, word in zip(REGISTERS, words, strict=False):
            self._uc.reg_write(register, word)
        rest = words[len(REGISTERS) :]
        stack = STACK - 8 * (len(rest) // 2 + 1)
        self.write(stack, b"".join(word.to_bytes(4, "little") for word in rest))
        self._uc.reg_write(UC_ARM_REG_SP, stack)
        self._uc.reg_write(UC_ARM_REG_LR, HOME | 1)
        self._uc.emu_start(self._symbols[name] | 1, HOME, count=INSTRUCTIONS_MAX)
        return int(self._uc.reg_read(UC_ARM_REG_R1)) << 32 | int(self._uc.reg_read(UC_ARM_REG_R0))


class CortexCore:
    """``lib`` has the functions, as they are on the chip; ``ffi`` the types of the host's library."""

    def __init__(self, host: Core, folder: Path) -> None:
        self.ffi, self.new, self.fields = host.ffi, host.new, host.fields
        self.lib = _Library(host, Cortex(folder))


class _Library:
    def __init__(self, host: Core, chip: Cortex) -> None:
        self._host, self._chip = host, chip

    def __getattr__(self, name: str) -> Callable[..., Any]:
        ffi, chip = self._host.ffi, self._chip
        kind = ffi.typeof(getattr(self._host.lib, name))

        def call(*given: Any) -> Any:
            room, words, lent = RAM, [], []
            for value, wanted in zip(given, kind.args, strict=True):
                if wanted.kind != "pointer":
                    size = max(ffi.sizeof(wanted), 4)
                    words.append((int(value) & (1 << 8 * size) - 1, size))
                    continue
                memory: Any = value if isinstance(value, bytes) else ffi.buffer(value)
                chip.write(room, bytes(memory))
                words.append((room, 4))
                if memory is not value:
                    lent.append((memory, room))
                room += len(memory) + 15 & ~7
            result = chip.call(name, words)
            for memory, at in lent:
                memory[:] = chip.read(at, len(memory))
            return None if kind.result.kind == "void" else _as(ffi, kind.result, result)

        return call


def _as(ffi: Any, kind: Any, value: int) -> int:
    """The value of a type that a register pair holds."""
    return int(ffi.cast(kind, value & (1 << 8 * ffi.sizeof(kind)) - 1))
