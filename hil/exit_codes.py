"""The ways to end that `hil` adds to those of `groundstation.exit_codes`."""

from __future__ import annotations

from groundstation.errors import ArchiveError, CallerError, ViewerCrashed
from groundstation.exit_codes import HANGUP, INTERRUPTED, PORT, TERMINATED, Ending, Outcome
from hil.errors import MachineFailed

ALL_PASSED = Outcome(0, "all runs passed")
ONE_FAILED = Outcome(1, "a run failed")
INCOMPLETE = Outcome(21, "the viewer was closed before the end of the pass")

JUDGING: tuple[Ending, ...] = (
    *(ALL_PASSED, ONE_FAILED, CallerError, ArchiveError, MachineFailed),
    *(INTERRUPTED, TERMINATED),
)
"""Of a command that flies and judges; after a signal it reports the runs that were flown until then."""
LIVE: tuple[Ending, ...] = (*JUDGING, *PORT, INCOMPLETE, ViewerCrashed, HANGUP)
"""Of a command that flies with a viewer."""
