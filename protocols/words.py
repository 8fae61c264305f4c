"""Words that mean the same in a declaration, on the wire between station and viewers, and in a recording.

Types alone: nothing is imported here, so that every layer may use them.
"""

from __future__ import annotations

from typing import Literal

Mark = Literal["S", "F", "R", "C", "A"]
"""Where a figure comes from: source document, found, remembered, computed, assumed."""
Severity = Literal["DIAGNOSTIC", "ACTIVITY_LO", "ACTIVITY_HI", "COMMAND", "WARNING_LO", "WARNING_HI", "FATAL"]
"""Of an event."""
LimitState = Literal["GREEN", "YELLOW_LOW", "YELLOW_HIGH", "RED_LOW", "RED_HIGH"]
"""Of a value with limits."""
Quality = Literal["good", "suspect", "unusable"]
"""Of a value: by the checks that are declared for it, or by what salvage knows of its bytes."""
BadQuality = Literal["suspect", "unusable"]
"""Of a value that a check has found something wrong with: it does not fit the others, or it cannot be true."""
SalvagedQuality = Literal["good", "mended", "suspect", "unusable"]
"""Of a value in a damaged frame; mended: a checksum fits after the one correction that makes it fit."""
Certainty = Literal["EXACT", "ABOUT", "AT_LEAST", "UNKNOWN"]
"""How sure a number of lost frames is. In order: the sum of two numbers is only as sure as the less sure of them."""
FrameKind = Literal["TM", "AOS"]
FrameFailure = Literal["CRC", "RS"]
"""Which check rejected a frame."""
RejectReason = Literal["CRC", "RS", "SYNC"]
"""Why bytes were not taken for a frame: a check, or no marker where one was due."""
GoodQuality = Literal["GOOD", "CORRECTED"]
"""Of a frame that was accepted."""
FrameQuality = Literal["GOOD", "CORRECTED", "CRC", "RS", "SYNC"]
"""Of a frame as it was received: good, corrected by Reed–Solomon, or why it was rejected."""
