"""What flies: targets by name. Each gives a link URL and knows when its pass is over; nothing else differs.

To add one: one file with a class that follows `Target`, and one line in `TARGETS`.
"""

from __future__ import annotations

from hil.targets.base import Target, TargetOptions
from hil.targets.software import SoftwareTarget

TARGETS: dict[str, type[SoftwareTarget]] = {"software": SoftwareTarget}

__all__ = ["TARGETS", "SoftwareTarget", "Target", "TargetOptions"]
