"""Mends damaged frames: known content first, then the error's place by checksum, and each mend with its risk. Sans-I/O.

`mender` takes the stream and gives what became of each damaged frame (`results`). `shapes` says how packets look,
`history` what good ones predict, `content` what lies in a data field, `template` what a damaged frame must have been,
`search` which wrong bits explain a checksum. Nothing here knows a mission: all comes from a dictionary and a profile.
What is mended never goes back into what is learned: predictions come from good frames alone.
"""

from protocols.mending.mender import Mender, refusal
from protocols.mending.results import Correction, FieldTrust, MendedFrame, MendedPacket, MendLevel

__all__ = ["Correction", "FieldTrust", "MendLevel", "MendedFrame", "MendedPacket", "Mender", "refusal"]
