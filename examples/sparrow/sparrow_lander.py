"""SPARROW in software. Run: python examples/sparrow/sparrow_lander.py /tmp/sparrow   (a serial port, or a new name)."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serial import Serial
from sparrow import SPARROW

from hil.lander_io.servers import PtyServer
from protocols.ccsds import cltu, pus, space_packet, tc_frame
from protocols.ccsds.tm_frame import TmFrame, encode_frame
from protocols.cop1.farm1 import Farm1
from protocols.errors import DecodeError
from protocols.profile import UART

farm, receiver, counts, began = Farm1(), cltu.CltuReceiver(), Counter[str](), time.monotonic_ns()
state = {"mode": 1, "battery": 8200, "temperature": -35, "switches.heater": 0, "switches.camera": 0, "switches.slot": 9}


def frame(name: str, values: dict[str, int]) -> bytes:
    """One packet in a frame of its own."""
    packet, number, apid = SPARROW.by_name[name], counts["frames"] & 0xFF, SPARROW.by_name[name].definition.apid
    scet = SPARROW.timeline[0].scet + (time.monotonic_ns() - began) // 10**6 * 10**6
    data = packet.encode(values, counts[f"APID {apid}"] & 0x3FFF, scet)
    data += space_packet.idle_packet(UART.data_length - len(data))
    counts.update(["frames", f"APID {apid}"])
    return encode_frame(TmFrame(SPARROW.scid, 0, number, number, 0, data, farm.clcw().encode()), UART)


def answers(received: bytes) -> Iterator[bytes]:
    """Carry out the commands in bytes that came up, and report them."""
    for raw in [raw for found in receiver.feed(received) for raw in tc_frame.split_frames(found.data)]:
        try:
            tc = tc_frame.decode_frame(raw)
            packet = farm.frame(tc.bypass, tc.control, tc.sequence, tc.data).fdu
            if packet is not None and not tc.control:
                command = pus.decode_tc(packet)
                yield frame("ACCEPTED", {"request": pus.request_id(packet)})
                if command.header.service == 8:  # CAMERA
                    state.update({"switches.camera": 1, "battery": max(6000, state["battery"] - 100 * command.data[1])})
                yield frame("COMPLETED", {"request": pus.request_id(packet)})
        except DecodeError:
            continue  # noise


line: Any = Serial(sys.argv[1], timeout=0) if os.path.exists(sys.argv[1]) else PtyServer(Path(sys.argv[1]))
send, receive = (line.write, lambda: line.read(4096)) if isinstance(line, Serial) else (line.send, line.receive)
due = time.monotonic()
while True:
    send(b"".join(answers(receive())))
    if time.monotonic() >= due:
        due += SPARROW.channels[0].period_ms / 1000
        state["battery"] = max(6000, state["battery"] - 5)  # V / 1000
        send(frame("HK", state))
    time.sleep(0.01)
