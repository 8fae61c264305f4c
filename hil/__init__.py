"""The rig: the software lander, the targets that fly it, and the runs that judge a descent.

Stands on top of `groundstation` and `protocols`; neither of them may know it.

PYTEST_DONT_REWRITE: a pytest plugin comes with this distribution, and pytest would warn if this was loaded before it.
"""

import logging

from protocols import __version__ as __version__

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library is silent until its user wants a log
