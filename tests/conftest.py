"""What all tests share."""

import os

from hypothesis import settings

settings.register_profile("busy", deadline=None)  # other tests run beside it: a single example may have to wait
settings.load_profile("busy")


def pytest_xdist_auto_num_workers() -> int:
    """Three for each core: most tests wait for a clock."""
    return min(12, 3 * (os.cpu_count() or 1))
