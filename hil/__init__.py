"""The rig: the software lander, the targets that fly it, and the runs that judge a descent.

Stands on top of `groundstation` and `protocols`; neither of them may know it.

PYTEST_DONT_REWRITE: a pytest plugin comes with this distribution, and pytest would warn if this was loaded before it.
"""

import logging

__version__: str

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library is silent until its user wants a log


def __getattr__(name: str) -> str:
    """The version, when it is asked for: every session of pytest imports this package, and loads nothing else by it."""
    if name == "__version__":
        from protocols import __version__  # noqa: PLC0415 - see above

        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
