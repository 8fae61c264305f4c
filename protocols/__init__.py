"""What the bytes mean: frames, packets, time codes, and the declaration of this lander's telemetry.

Sans-I/O: bytes and numbers in, values out. No sockets, threads, files or clocks may live here, and nothing of
`groundstation` or `hil` may be imported. Formats are declared in construct; live decoding runs code generated
from those declarations (`layout` reads them, `codec` generates).

PYTEST_DONT_REWRITE: a pytest plugin comes with this distribution, and pytest would warn if this was loaded before it.
"""

__version__ = "0.1.0"
