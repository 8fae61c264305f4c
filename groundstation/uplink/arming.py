"""Critical commands are refused unless the station is armed; the arming expires by itself. Sans-I/O."""

from __future__ import annotations

from groundstation.errors import CommandRefused
from protocols.units import NS_PER_S

ARM_MAX_S = 600.0


class Arming:
    """Whether critical commands are allowed, until when, and who allowed them.

    Attributes:
        until: in ns; None while disarmed.
        who: who armed.
    """

    def __init__(self) -> None:
        self.until: int | None = None
        self.who = ""

    def armed(self, now: int) -> bool:
        """Whether critical commands are allowed at ``now``."""
        return self.until is not None and now < self.until

    def arm(self, seconds: float, who: str, now: int) -> None:
        """Allow them for so long from now on; 0 seconds forbid them.

        Raises:
            CommandRefused: longer than the maximum, or negative.
        """
        if not 0 <= seconds <= ARM_MAX_S:
            raise CommandRefused(f"arming for {seconds:g} s: the range is 0 … {ARM_MAX_S:g} s, 0 disarms")
        self.until = now + round(seconds * NS_PER_S) if seconds else None
        self.who = who if seconds else ""

    def expire(self, now: int) -> bool:
        """Disarm if the time is over. Whether it was."""
        if self.until is None or now < self.until:
            return False
        self.until, self.who = None, ""
        return True
