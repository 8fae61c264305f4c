"""The station: receives, keeps, shows, commands.

Lives here: links, the sans-I/O receiver, the archive, the station process and its viewers. May import `protocols`;
must not know `hil`: the station cannot tell a board from an emulator.

PYTEST_DONT_REWRITE: a pytest plugin comes with this distribution, and pytest would warn if this was loaded before it.
"""

import logging

from protocols import __version__ as __version__

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library is silent until its user wants a log
