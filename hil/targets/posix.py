"""The C lander as a process of this computer: the firmware's loop without an emulator."""

from __future__ import annotations

from hil.elf import build_of
from hil.targets.firmware import missing_for_posix, posix_program, sha256_of
from hil.targets.process import ProcessMachine


class PosixMachine(ProcessMachine):
    """The port `posix` of the firmware."""

    name = "posix"

    @classmethod
    def missing(cls) -> str | None:
        """What a build for this computer lacks."""
        return missing_for_posix()

    def provenance(self) -> dict[str, str]:
        """The program's build and hash."""
        program = posix_program()
        return {"build": f"{build_of(program):08x}", "program sha256": sha256_of(program)}

    def _command(self, terminal: str) -> list[str]:
        return [str(posix_program()), terminal]
