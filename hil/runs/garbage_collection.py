"""Flights without frequent garbage collection: they make many small objects, that live on till the flight is judged.

Nearly none of these is in a cycle, so that looking for cycles after every 700 new ones finds nothing. A collection
every 50,000 finds what there is. It saves 4 to 8 % of a lockstep run, and pauses in real time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 50_000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Within it the collector looks for cycles seldom; afterwards as before."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
