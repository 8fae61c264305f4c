"""Makes the orders of one client: they say who orders, when, and are unlike any other."""

from __future__ import annotations

import getpass
import secrets
import socket
from collections.abc import Callable, Mapping

from groundstation.messages.base import Value
from groundstation.messages.commanding import AcknowledgeRequest, ArmRequest, CommandRequest, CopDirectiveRequest

WHO_MAX = 64

AnyOrder = CommandRequest | ArmRequest | CopDirectiveRequest | AcknowledgeRequest


def who_am_i() -> str:
    """Who orders, as this machine knows: it goes into the log and proves nothing."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"[:WHO_MAX]


class RequestFactory:
    """One who orders, with a clock."""

    def __init__(self, who: str, clock: Callable[[], int]) -> None:
        """Args: who orders, and now in ns."""
        self.who = who
        self._clock = clock

    def command(
        self,
        name: str,
        arguments: Mapping[str, Value],
        *,
        bypass: bool = False,
        timeout_ms: int = 10_000,
        repeats: int | None = None,
    ) -> CommandRequest:
        """A command; see `CommandRequest`."""
        return CommandRequest(
            who=self.who,
            token=_token(),
            issued=self._clock(),
            name=name,
            arguments=dict(arguments),
            bypass=bypass,
            timeout_ms=timeout_ms,
            repeats=repeats,
        )

    def arm(self, seconds: float) -> ArmRequest:
        """Allow critical commands for so long; 0 forbids them."""
        return ArmRequest(who=self.who, token=_token(), issued=self._clock(), seconds=seconds)

    def directive(self, name: str, value: int | None = None) -> CopDirectiveRequest:
        """A directive to FOP-1."""
        return CopDirectiveRequest(who=self.who, token=_token(), issued=self._clock(), directive=name, value=value)

    def acknowledge(self, until: int | None = None) -> AcknowledgeRequest:
        """Acknowledge all losses of signal, or those that were declared ``until`` then."""
        return AcknowledgeRequest(who=self.who, token=_token(), issued=self._clock(), until=until)


def _token() -> str:
    return secrets.token_hex(16)
