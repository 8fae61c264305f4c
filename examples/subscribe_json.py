"""Follow a station with ZeroMQ and JSON alone: no package of this project.

    python examples/subscribe_json.py [FOLDER]

FOLDER is that of a station, by default the first below $XDG_RUNTIME_DIR/groundstation. Needs pyzmq: pip install pyzmq
"""

import json
import os
import sys
from pathlib import Path

import zmq

COUNT = 50


def main(folder: Path) -> None:
    """Print the first messages after a snapshot."""
    info = json.loads((folder / "station.json").read_text())
    context = zmq.Context()
    telemetry = context.socket(zmq.SUB)
    telemetry.subscribe(b"")
    telemetry.connect(info["telemetry"])
    command = context.socket(zmq.REQ)
    command.connect(info["command"])
    command.send_json({"type": "snapshot_request"})
    _, body = command.recv().split(b" ", 1)
    snapshot = json.loads(body)
    print(f"{snapshot['station']}: {snapshot['mission']}, {len(snapshot['parameters'])} parameters")
    for _ in range(COUNT):
        topic, body = telemetry.recv().split(b" ", 1)
        message = json.loads(body)
        if message["type"] == "telemetry":
            print(topic.decode(), message["seq"], message["values"])
        else:
            print(topic.decode(), message["seq"], message["type"])
    context.destroy(linger=0)


if __name__ == "__main__":
    stations = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp")) / "groundstation"
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else next(stations.glob("*/station.json")).parent
    main(given)
