"""Units of time, said once: how many of the small one are in the large one.

A name that ends in ``_NS``, ``_MS`` or ``_S`` is a duration in that unit; a name ``X_PER_Y`` converts.
"""

from __future__ import annotations

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
NS_PER_MIN = 60 * NS_PER_S
NS_PER_HOUR = 60 * NS_PER_MIN
NS_PER_DAY = 24 * NS_PER_HOUR
MS_PER_DAY = 86_400_000
