"""The rig: the software lander, the targets that fly it, and the runs that judge a descent.

Stands on top of `groundstation` and `protocols`; neither of them may know it.

The names below are the public API; each is loaded when it is first asked for. All else may move.

    Scenario, load_scenario      what is flown, from a TOML file
    run_scenario, RunResult      fly it and judge it
    Flight                       a flight inside a pytest test, as the fixture ``hil_flight`` gives it

PYTEST_DONT_REWRITE: a pytest plugin comes with this distribution, and pytest would warn if this was loaded before it.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hil.pytest_plugin.flight import Flight as Flight
    from hil.runs.run_scenario import run_scenario as run_scenario
    from hil.scenario.scenario import Scenario as Scenario
    from hil.scenario.scenario import load_scenario as load_scenario
    from hil.verdict.result import RunResult as RunResult
    from protocols import __version__ as __version__

_PUBLIC = {
    "Flight": "hil.pytest_plugin.flight",
    "RunResult": "hil.verdict.result",
    "Scenario": "hil.scenario.scenario",
    "__version__": "protocols",
    "load_scenario": "hil.scenario.scenario",
    "run_scenario": "hil.runs.run_scenario",
}

__all__ = ["Flight", "RunResult", "Scenario", "__version__", "load_scenario", "run_scenario"]

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library is silent until its user wants a log


def __getattr__(name: str) -> Any:
    """A name, when it is first asked for: every session of pytest imports this package, and loads no more by it."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
