"""COP-1, CCSDS 232.1-B-2: commands that arrive once and in order, or are reported as lost.

`Fop1` (§5) sends, on the ground; `Farm1` (§6) accepts and reports, on the spacecraft, in CLCWs. Both are state
machines whose tables stand in files of their own, to be held against the standard's. No clocks: time is an argument
and the timer a deadline that the caller asks for. No frames on the wire: their coding is `protocols.ccsds`'s.
"""

from protocols.cop1.farm1 import Farm1, FarmVerdict
from protocols.cop1.farm1_table import FarmState
from protocols.cop1.fop1 import DIRECTIVE_VALUES, Fop1
from protocols.cop1.fop1_table import FopState
from protocols.cop1.messages import (
    Abort,
    Alert,
    AlertReason,
    Directive,
    DirectiveKind,
    DirectiveResponse,
    FopOutput,
    FopStatus,
    FrameKind,
    Response,
    Suspended,
    TransferResponse,
    TransmitFrame,
)

__all__ = [
    "DIRECTIVE_VALUES",
    "Abort",
    "Alert",
    "AlertReason",
    "Directive",
    "DirectiveKind",
    "DirectiveResponse",
    "Farm1",
    "FarmState",
    "FarmVerdict",
    "Fop1",
    "FopOutput",
    "FopState",
    "FopStatus",
    "FrameKind",
    "Response",
    "Suspended",
    "TransferResponse",
    "TransmitFrame",
]
