"""The ways to end that `hil` adds to those of `groundstation.exit_codes`."""

from __future__ import annotations

from collections.abc import Set

from groundstation.errors import ArchiveError, CallerError, ViewerCrashed
from groundstation.exit_codes import HANGUP, INTERRUPTED, PORT, TERMINATED, Ending, Outcome
from hil.errors import MachineFailed

ALL_PASSED = Outcome(0, "all runs passed")
ONE_FAILED = Outcome(1, "a run failed")
UNSTABLE = Outcome(28, "the host was too late to judge a run in real time: fly it again (--retries)")
INCOMPLETE = Outcome(21, "the viewer was closed before the end of the pass")

JUDGING: tuple[Ending, ...] = (
    *(ALL_PASSED, ONE_FAILED, CallerError, ArchiveError, MachineFailed, UNSTABLE),
    *(INTERRUPTED, TERMINATED),
)
"""Of a command that flies and judges; after a signal it reports the runs that were flown until then."""
LIVE: tuple[Ending, ...] = (*JUDGING, *PORT, INCOMPLETE, ViewerCrashed, HANGUP)
"""Of a command that flies with a viewer."""


def code_of_states(bad: Set[str]) -> int:
    """The exit code of runs of which these states did not pass."""
    if not bad:
        return ALL_PASSED.exit_code
    return UNSTABLE.exit_code if bad == {"UNSTABLE"} else ONE_FAILED.exit_code
