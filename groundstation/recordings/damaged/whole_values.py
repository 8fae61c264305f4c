"""The values of a packet of which every byte is known, as salvage gives them."""

from __future__ import annotations

from groundstation.messages.shown_values import shown_values
from groundstation.recordings.damaged.salvage_records import SalvagedValue
from protocols.declare.dictionary import Packet
from protocols.errors import DecodeError
from protocols.words import SalvagedQuality


def whole_values(packet: Packet, data: bytes, quality: SalvagedQuality, why: str) -> list[SalvagedValue]:
    """All values of a whole packet, of fixed or variable size, with one quality and the reason for it."""
    parameters = {parameter.name: parameter for parameter in packet.parameters}
    try:
        decoded = packet.decode(data)
    except DecodeError as error:
        return [SalvagedValue(name, None, each.unit, "unusable", str(error)) for name, each in parameters.items()]
    void, shown = set(packet.void(decoded)), shown_values(packet, decoded, []).values
    flag_of = {condition.name: condition.flag for condition in packet.conditional}
    values = []
    for name, value in shown.items():
        unit = parameters[packet.declared(name)].unit
        if name in void:
            why_void = f"means nothing: {flag_of[packet.declared(name)]} is off"
            values.append(SalvagedValue(name, None, unit, "unusable", why_void))
        else:
            values.append(SalvagedValue(name, value, unit, quality, why))
    return values
