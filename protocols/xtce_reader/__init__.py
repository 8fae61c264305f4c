"""XTCE in: a stranger's definition of packets, from bytes to a `Dictionary` and the list of what could not be read.

Here lives what reads XTCE 1.1 and 1.2: the bounded XML tree, references between its parts, types, criteria, containers.
Sans-I/O: it takes bytes. What writes XTCE is in `protocols.export`.
"""

from protocols.xtce_reader.bounds import Bounds
from protocols.xtce_reader.reader import XtceDocument, read_xtce

__all__ = ["Bounds", "XtceDocument", "read_xtce"]
