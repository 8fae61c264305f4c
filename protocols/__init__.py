"""What the bytes mean: frames, packets, time codes, and the declaration of this lander's telemetry.

Sans-I/O: bytes and numbers in, values out. No sockets, threads, files or clocks may live here, and nothing of
`groundstation` or `hil` may be imported. Formats are declared in construct; live decoding runs code generated
from those declarations (`structures.layout` reads them, `structures.codec` generates).

The names below are the public API; each is loaded when it is first asked for. All else may move.

    Dictionary, PacketDef, CommandDef, EventDef, ChannelDef, Milestone    a mission's declaration
    PacketHeader, NO_HEADER, PUS_A, PUS_C, TimeCode, cds_time, cuc_time   what stands around a packet's body
    Quantity, Limits, Polynomial, Table, EnumRanges                       a number's unit, limits, calibration, words
    Mission, Display, DisplayView, Plot                                   a declaration with its link and display
    Deframer, LinkProfile                                                 bytes to frames
    PacketExtractor                                                       frames to packets

PYTEST_DONT_REWRITE: a pytest plugin comes with this distribution, and pytest would warn if this was loaded before it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from protocols.declare.commands import CommandDef as CommandDef
    from protocols.declare.dictionary import ChannelDef as ChannelDef
    from protocols.declare.dictionary import Dictionary as Dictionary
    from protocols.declare.dictionary import EventDef as EventDef
    from protocols.declare.dictionary import Milestone as Milestone
    from protocols.declare.dictionary import PacketDef as PacketDef
    from protocols.declare.display import Display as Display
    from protocols.declare.display import DisplayView as DisplayView
    from protocols.declare.display import Plot as Plot
    from protocols.declare.headers import NO_HEADER as NO_HEADER
    from protocols.declare.headers import PUS_A as PUS_A
    from protocols.declare.headers import PUS_C as PUS_C
    from protocols.declare.headers import PacketHeader as PacketHeader
    from protocols.declare.headers import TimeCode as TimeCode
    from protocols.declare.headers import cds_time as cds_time
    from protocols.declare.headers import cuc_time as cuc_time
    from protocols.declare.mission import Mission as Mission
    from protocols.decode.packets import PacketExtractor as PacketExtractor
    from protocols.profile import LinkProfile as LinkProfile
    from protocols.structures.calibration import Polynomial as Polynomial
    from protocols.structures.calibration import Table as Table
    from protocols.structures.fields import EnumRanges as EnumRanges
    from protocols.structures.fields import Limits as Limits
    from protocols.structures.fields import Quantity as Quantity
    from protocols.sync.deframer import Deframer as Deframer

__version__ = "0.1.0"

_PUBLIC = {
    "ChannelDef": "declare.dictionary",
    "CommandDef": "declare.commands",
    "Deframer": "sync.deframer",
    "Dictionary": "declare.dictionary",
    "Display": "declare.display",
    "DisplayView": "declare.display",
    "EnumRanges": "structures.fields",
    "EventDef": "declare.dictionary",
    "Limits": "structures.fields",
    "LinkProfile": "profile",
    "Milestone": "declare.dictionary",
    "Mission": "declare.mission",
    "NO_HEADER": "declare.headers",
    "PUS_A": "declare.headers",
    "PUS_C": "declare.headers",
    "PacketDef": "declare.dictionary",
    "PacketExtractor": "decode.packets",
    "PacketHeader": "declare.headers",
    "Plot": "declare.display",
    "Polynomial": "structures.calibration",
    "Quantity": "structures.fields",
    "Table": "structures.calibration",
    "TimeCode": "declare.headers",
    "cds_time": "declare.headers",
    "cuc_time": "declare.headers",
}

__all__ = [
    "NO_HEADER",
    "PUS_A",
    "PUS_C",
    "ChannelDef",
    "CommandDef",
    "Deframer",
    "Dictionary",
    "Display",
    "DisplayView",
    "EnumRanges",
    "EventDef",
    "Limits",
    "LinkProfile",
    "Milestone",
    "Mission",
    "PacketDef",
    "PacketExtractor",
    "PacketHeader",
    "Plot",
    "Polynomial",
    "Quantity",
    "Table",
    "TimeCode",
    "__version__",
    "cds_time",
    "cuc_time",
]


def __getattr__(name: str) -> Any:
    """A name of the public API, when it is first asked for: a start imports only what it uses."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
