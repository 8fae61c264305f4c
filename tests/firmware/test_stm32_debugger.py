"""The STM32's firmware started without a reset, by a debugger or a boot loader that jumps: in QEMU, by its GDB stub."""

from __future__ import annotations

import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.targets.greeting import find_greeting
from tests.firmware.tools import image_of, symbols
from tests.targets.bench import require

PATIENCE_S = 20
VTOR, SYST_CSR, SYST_RVR, ISER, ISPR = 0xE000_ED08, 0xE000_E010, 0xE000_E014, 0xE000_E100, 0xE000_E200
SP, PC = 13, 15
LOADER_AT = 0x2000_8000
LOADER = bytes.fromhex("72b603a006c809b10a60fbe7104700bf")
"""cpsid i; adr r0, table; loop: ldmia r0!, {r1, r2}; cbz r1, done; str r2, [r1]; b loop; done: bx r2; nop. The table
follows: pairs of an address and what is written to it; then 0 and where to jump."""


class Gdb:
    """A client of the stub, as much as a debugger needs to set a machine up."""

    def __init__(self, path: Path) -> None:
        deadline = time.monotonic() + PATIENCE_S
        self._line = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self._line.connect(str(path))
                break
            except OSError:
                assert time.monotonic() < deadline, "QEMU has no stub"
                time.sleep(0.02)
        self._line.settimeout(PATIENCE_S)
        self.ask("qXfer:features:read:target.xml:0,ffb")  # before that it knows no single registers

    def ask(self, body: str) -> str:
        self.tell(body)
        heard = b""
        while heard.count(b"#") < 1 or len(heard.partition(b"#")[2]) < 2:
            heard += self._line.recv(4096)
        self._line.sendall(b"+")
        return heard.partition(b"$")[2].partition(b"#")[0].decode()

    def tell(self, body: str) -> None:
        self._line.sendall(f"+${body}#{sum(body.encode()) & 0xFF:02x}".encode())

    def write(self, address: int, value: int) -> None:
        assert self.ask(f"M{address:x},4:{struct.pack('<I', value).hex()}") == "OK"

    def set(self, register: int, value: int) -> None:
        assert self.ask(f"P{register:x}={struct.pack('<I', value).hex()}") == "OK"

    def close(self) -> None:
        self._line.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[tuple[Gdb, socket.socket]]:
    """QEMU, halted before the first instruction: the debugger's stub, and the UART."""
    require("qemu")
    command = ["qemu-system-arm", "-M", "netduinoplus2", "-display", "none", "-nodefaults", "-S"]
    image, uart = image_of("stm32f4").path, f"socket,id=u,path={tmp_path}/uart,server=on,wait=off"
    command += ["-kernel", str(image), "-serial", "null", "-chardev", uart, "-serial", "chardev:u"]
    with subprocess.Popen([*command, "-gdb", f"unix:{tmp_path}/gdb,server=on,wait=off"]) as qemu:
        gdb = Gdb(tmp_path / "gdb")
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(tmp_path / "uart"))
        try:
            yield gdb, line
        finally:
            qemu.kill()
            gdb.close()
            line.close()


def greeted(line: socket.socket) -> bool:
    """Whether a greeting comes."""
    heard, deadline = b"", time.monotonic() + 5
    while time.monotonic() < deadline:
        line.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            heard += line.recv(4096)
        except TimeoutError:
            break
        if find_greeting(heard) is not None:
            return True
    return False


def test_it_starts_whatever_a_boot_loader_left(machine: tuple[Gdb, socket.socket]) -> None:
    """Vectors elsewhere, interrupts on and pending, SysTick running, a stack that is none."""
    gdb, line = machine
    left = [(SYST_RVR, 100), (SYST_CSR, 7), (VTOR, 0x2000_0000)]
    left += [(at + 4 * word, 0xFFFF_FFFF) for at in (ISPR, ISER) for word in range(3)]
    table = b"".join(struct.pack("<II", *entry) for entry in left)
    reset = symbols(image_of("stm32f4").path)["reset"] | 1
    for at, word in enumerate(struct.iter_unpack("<I", LOADER + table + struct.pack("<II", 0, reset))):
        gdb.write(LOADER_AT + 4 * at, word[0])
    gdb.set(SP, 0x1000_0000)
    gdb.set(PC, LOADER_AT)
    gdb.tell("c")
    assert greeted(line)
