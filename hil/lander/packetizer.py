"""Raw values into PUS packets, by the dictionary. One sequence count an APID, one message counter a packet type."""

from __future__ import annotations

from collections.abc import Mapping

from hil.lander.physics.dynamics import TICK_NS
from protocols.ccsds.space_packet import SEQUENCE_MODULO
from protocols.declare.dictionary import Dictionary


class Packetizer:
    """Builds telemetry packets stamped with the time of their tick."""

    def __init__(self, dictionary: Dictionary, epoch: int) -> None:
        """Args: the mission, and the SCET of tick 0 in ns."""
        self._packets = dictionary.by_name
        self._epoch = epoch
        self._sequences = {packet.definition.apid: 0 for packet in self._packets.values()}

    def build(self, name: str, tick: int, values: Mapping[str, int]) -> bytes:
        """One packet of raw values.

        Raises:
            EncodeError: as `body`.
        """
        return self.wrap(name, tick, self.body(name, values))

    def body(self, name: str, values: Mapping[str, int]) -> bytes:
        """A packet's body of raw values.

        Raises:
            EncodeError: a value is missing or does not fit: the flight code and the dictionary disagree.
        """
        return self._packets[name].codec.encode_names(values)

    def wrap(self, name: str, tick: int, body: bytes) -> bytes:
        """The packet around a body, with its sequence count, time and checksum."""
        packet = self._packets[name]
        definition = packet.definition
        sequence = self._sequences[definition.apid]
        self._sequences[definition.apid] = (sequence + 1) % SEQUENCE_MODULO
        time = self._epoch + tick * TICK_NS
        return packet.wrap(body, sequence, time, counter=sequence)
