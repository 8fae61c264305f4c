"""The boards that a session may fly: found once, when the first test needs one, since to ask ports takes seconds."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

import pytest

from groundstation.errors import CallerError, StationError
from groundstation.formats.printable import printable
from groundstation.ports.address import parse_port
from hil.targets import BoardPort
from hil.targets.board_ports import choose_ports


class SessionBoards:
    """What ``--hil-port``, ``--hil-baud`` and ``--hil-board-wait`` say.

    Attributes:
        wait_s: how long to wait for a board that another run uses.
    """

    def __init__(self, config: pytest.Config) -> None:
        """Read the options.

        Raises:
            pytest.UsageError: an address is none, or pytest has misread it.
        """
        self.wait_s: float = config.getoption("--hil-board-wait")
        self._given: list[str] = config.getoption("--hil-port") or []
        self._baud: int | None = config.getoption("--hil-baud")
        for text in self._given:
            # Before pytest knows an option it takes its value for tests, and looks for settings there.
            if Path(text).is_relative_to(config.rootpath):
                raise pytest.UsageError(
                    f"write --hil-port={text}, in one word: pytest took the port for a folder of tests"
                )
            try:
                parse_port(text).at(self._baud)
            except CallerError as error:
                raise pytest.UsageError(printable(f"--hil-port: {error}")) from error

    @property
    def ports(self) -> tuple[BoardPort, ...]:
        """The boards; none if there is a lack."""
        return self._chosen[0]

    def lack(self) -> str | None:
        """Why no board can fly."""
        addresses = [parse_port(text) for text in self._given]
        gone = [each.text for each in addresses if each.kind == "path" and not os.path.exists(each.text)]
        if gone and len(gone) == len(addresses):
            return f"port not found: {', '.join(gone)}"
        return self._chosen[1]

    @cached_property
    def _chosen(self) -> tuple[tuple[BoardPort, ...], str | None]:
        try:
            return choose_ports(self._given, self._baud), None
        except StationError as error:
            return (), str(error).replace("--port", "--hil-port")
