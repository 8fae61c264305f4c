"""What a station, its viewers and its recordings say to each other, as typed values, and in words. Sans-I/O.

The names below are for programs that follow a station: each is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from groundstation.messages.commanding import ArmRequest as ArmRequest
    from groundstation.messages.commanding import CommandRequest as CommandRequest
    from groundstation.messages.commanding import CommandUpdate as CommandUpdate
    from groundstation.messages.commanding import RequestAccepted as RequestAccepted
    from groundstation.messages.commanding import UplinkStatus as UplinkStatus
    from groundstation.messages.wire import Acknowledgement as Acknowledgement
    from groundstation.messages.wire import AnyMessage as AnyMessage
    from groundstation.messages.wire import ContactChange as ContactChange
    from groundstation.messages.wire import EventMessage as EventMessage
    from groundstation.messages.wire import Heartbeat as Heartbeat
    from groundstation.messages.wire import LinkStatus as LinkStatus
    from groundstation.messages.wire import LosVerdict as LosVerdict
    from groundstation.messages.wire import Refusal as Refusal
    from groundstation.messages.wire import Snapshot as Snapshot
    from groundstation.messages.wire import Telemetry as Telemetry

_COMMANDING = ("ArmRequest", "CommandRequest", "CommandUpdate", "RequestAccepted", "UplinkStatus")
_WIRE = (
    "Acknowledgement",
    "AnyMessage",
    "ContactChange",
    "EventMessage",
    "Heartbeat",
    "LinkStatus",
    "LosVerdict",
    "Refusal",
    "Snapshot",
    "Telemetry",
)
_HOMES = dict.fromkeys(_COMMANDING, "commanding") | dict.fromkeys(_WIRE, "wire")


def __getattr__(name: str) -> Any:
    """A message's class, when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
