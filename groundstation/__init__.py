"""The station: receives, keeps, shows, commands.

Lives here: links, the sans-I/O receiver, the archive, the station process and its viewers. May import `protocols`;
must not know `hil`: the station cannot tell a board from an emulator.

The names below are the public API; each is loaded when it is first asked for. All else may move.

    open_recording, Recording, PacketTable    a recording as numpy columns
    connect, StationClient, StationInfo       follow and command a station that runs
    start_station, StationConfig              run one
    Receiver                                  bytes and time in, events out; no thread, no port
    load_mission, Mission, LinkProfile        what is received
    messages                                  the messages of a station
    errors                                    what any of these may raise

PYTEST_DONT_REWRITE: a pytest plugin comes with this distribution, and pytest would warn if this was loaded before it.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from protocols import __version__ as __version__

if TYPE_CHECKING:
    from groundstation import errors as errors
    from groundstation import messages as messages
    from groundstation.analysis.packet_table import PacketTable as PacketTable
    from groundstation.analysis.recording import Recording as Recording
    from groundstation.analysis.recording import open_recording as open_recording
    from groundstation.downlink.receiver import Receiver as Receiver
    from groundstation.station.address import connect as connect
    from groundstation.station.config import StationConfig as StationConfig
    from groundstation.station.process import start_station as start_station
    from groundstation.station.registry import StationInfo as StationInfo
    from groundstation.viewer.client import StationClient as StationClient
    from protocols.declare.loading import load_mission as load_mission
    from protocols.declare.mission import Mission as Mission
    from protocols.profile import LinkProfile as LinkProfile

_PUBLIC = {
    "LinkProfile": "protocols.profile:LinkProfile",
    "Mission": "protocols.declare.mission:Mission",
    "PacketTable": "groundstation.analysis.packet_table:PacketTable",
    "Receiver": "groundstation.downlink.receiver:Receiver",
    "Recording": "groundstation.analysis.recording:Recording",
    "StationClient": "groundstation.viewer.client:StationClient",
    "StationConfig": "groundstation.station.config:StationConfig",
    "StationInfo": "groundstation.station.registry:StationInfo",
    "connect": "groundstation.station.address:connect",
    "errors": "groundstation.errors:",
    "load_mission": "protocols.declare.loading:load_mission",
    "messages": "groundstation.messages:",
    "open_recording": "groundstation.analysis.recording:open_recording",
    "start_station": "groundstation.station.process:start_station",
}

__all__ = [
    "LinkProfile",
    "Mission",
    "PacketTable",
    "Receiver",
    "Recording",
    "StationClient",
    "StationConfig",
    "StationInfo",
    "__version__",
    "connect",
    "errors",
    "load_mission",
    "messages",
    "open_recording",
    "start_station",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library is silent until its user wants a log


def __getattr__(name: str) -> Any:
    """A name of the public API, when it is first asked for: a start imports only what it uses."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    found = import_module(module)
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
