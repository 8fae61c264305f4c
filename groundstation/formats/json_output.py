"""Values as lines of JSON on standard output.

Apart from `groundstation.formats.output`, so that a command line which writes text does not import the encoder.
"""

from __future__ import annotations

from groundstation.formats.json_encoding import encode_json
from groundstation.formats.output import write_json


def echo_json(value: object, *, err: bool = False) -> None:
    """A value as one line of JSON, at once."""
    write_json(encode_json(value, times=True).decode(), err=err)
