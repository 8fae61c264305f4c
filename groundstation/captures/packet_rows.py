"""Packets of a capture: decoded by a dictionary, counted by APID, and as the rows that `decode` writes. Sans-I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from groundstation.messages.base import Value
from groundstation.messages.shown_values import quality_of, shown_values
from groundstation.messages.wire import ValueQuality
from protocols.ccsds.space_packet import SEQUENCE_MODULO
from protocols.counts import PacketCounter
from protocols.declare.dictionary import Dictionary
from protocols.decode.judging.quality import QualityMonitor
from protocols.decode.judging.verdicts import Verdicts
from protocols.decode.telemetry import Sample, decode_telemetry
from protocols.errors import DecodeError
from protocols.words import Certainty

Ints = npt.NDArray[np.int64]
_REASONS_KEPT = 16
_NAMES_SHOWN = 3


class CapturedPacket(msgspec.Struct, frozen=True, gc=False):
    """One packet. ``offset`` is where the frame starts that completes it, or a bare packet, in the capture's units.

    The fields of a frame are None in a file without frames; APID and sequence are in that of an encapsulation packet.
    ``sample`` is there if the dictionary declares it and it decodes; ``error`` says why it does not. ``verdicts`` are
    of the values that are not good, None if no check is declared for it. The collector of
    garbage does not look at them: a capture has millions, and they hold nothing that holds them.
    """

    offset: int
    scid: int | None
    vcid: int | None
    vcfc: int | None
    apid: int | None
    sequence: int | None
    data: bytes
    ert: int | None = None
    name: str | None = None
    sample: Sample | None = None
    error: str | None = None
    verdicts: Verdicts | None = None


class PacketRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One packet, as `CapturedPacket` has it. ``protocol``: of an encapsulation packet.

    ``name``, ``scet`` and ``values`` are there if the dictionary declares it; ``error`` says why it is not decoded.
    ``invalid`` names the values that mean nothing, and are None; ``exact`` has integers beyond 2⁵³ as text. ``bad``
    has those that are not good; it is left out where no check is declared for the packet.
    Times in ns since 1970; ``data`` in hex.
    """

    offset: int
    scid: int | None = None
    vcid: int | None = None
    vcfc: int | None = None
    apid: int | None = None
    sequence: int | None = None
    data: str = ""
    protocol: int | None = None
    ert: int | None = None
    name: str | None = None
    scet: int | None = None
    values: dict[str, Value | None] | None = None
    invalid: list[str] = msgspec.field(default_factory=list)
    exact: dict[str, str] = msgspec.field(default_factory=dict)
    bad: dict[str, ValueQuality] | None = None
    error: str | None = None


def packet_row(packet: CapturedPacket) -> PacketRow:
    """The row of a packet."""
    sample = packet.sample
    shown = None if sample is None else shown_values(sample.packet, sample.values, sample.packet.void(sample.values))
    return PacketRow(
        offset=packet.offset,
        scid=packet.scid,
        vcid=packet.vcid,
        vcfc=packet.vcfc,
        apid=packet.apid,
        sequence=packet.sequence,
        data=packet.data.hex(),
        protocol=packet.data[0] >> 2 & 7 if packet.apid is None else None,
        ert=packet.ert,
        name=packet.name,
        scet=sample.header.time_ns if sample else None,
        values=shown and shown.values,
        invalid=shown.invalid if shown else [],
        exact=shown.exact if shown else {},
        bad=quality_of(packet.verdicts),
        error=packet.error,
    )


class ApidCount(msgspec.Struct):
    """What came of one APID on one channel; SCID and VC are None in a file of packets.

    ``missing`` packets lie in ``gaps`` holes of the sequence count; with ``steps_back`` it stood still or went back.
    ``name`` has the names of its packets, the first ones if there are many.
    """

    scid: int | None
    vcid: int | None
    apid: int
    name: str | None = None
    packets: int = 0
    bad: int = 0
    gaps: int = 0
    missing: int = 0
    missing_certainty: Certainty = "EXACT"
    steps_back: int = 0
    bytes: int = 0


@dataclass(slots=True)
class ApidPackets:
    """One APID's packets on one channel; ``lost`` is how many of its frames were, when the last one came."""

    count: ApidCount
    counter: PacketCounter = field(default_factory=PacketCounter)
    lost: int = 0
    names: set[str] = field(default_factory=set)

    def add(
        self, sequence: int, size: int, *, lost: int, name: str | None = None, bad: bool = False, late: bool = False
    ) -> None:
        """One more packet; ``lost``: frames of its channel that are lost by now."""
        self.count.packets += 1
        self.count.bytes += size
        self.count.bad += bad
        if name is not None and name not in self.names:
            self._call(name, bad=bad)
        self.counter.count(sequence, max(0, lost - self.lost), late=late)
        self.lost = lost

    def add_all(self, sequences: Ints, sizes: Ints, *, lost: int) -> None:
        """Some more, none of them bad or late, as `add` takes one."""
        in_order = bool((np.diff(sequences) % SEQUENCE_MODULO == 1).all())
        if in_order and self.counter.pass_plain(int(sequences[0]), int(sequences[-1]), len(sequences)):
            self.count.packets += len(sequences)
            self.count.bytes += int(sizes.sum())
            self.lost = lost
            return
        for sequence, size in zip(sequences.tolist(), sizes.tolist(), strict=True):
            self.add(sequence, size, lost=lost)

    def _call(self, name: str, *, bad: bool) -> None:
        """A name of which no good packet came before; that of a bad packet is shown while there is no other."""
        if bad:
            self.count.name = self.count.name or name
            return
        self.names.add(name)
        number = len(self.names)
        if number <= _NAMES_SHOWN:
            self.count.name = name if number == 1 else f"{self.count.name}, {name}"
        elif number == _NAMES_SHOWN + 1:
            self.count.name = f"{self.count.name}, …"

    def counted(self) -> ApidCount:
        """All counts so far."""
        count, counter = self.count, self.counter
        count.missing, count.missing_certainty = counter.missing.count, counter.missing.certainty
        count.gaps, count.steps_back = counter.gaps, counter.steps_back
        return count


class Read(NamedTuple):
    """What a packet is: its name if it is declared, what is in it and how good that is, or why that cannot be said."""

    name: str | None = None
    sample: Sample | None = None
    error: str | None = None
    verdicts: Verdicts | None = None


class PacketReader:
    """Decodes packets by a dictionary, or leaves them raw, and counts those that do not decode by reason."""

    def __init__(self, dictionary: Dictionary | None) -> None:
        self.dictionary = dictionary
        self.bad: Counter[str] = Counter()
        self._quality = None if dictionary is None else QualityMonitor(dictionary)

    def read(self, apid: int, data: bytes, ert: int | None = None) -> Read:
        """Read the next packet.

        Args:
            apid: of its header.
            data: the whole packet.
            ert: when it was received, if that is known: its time, if it has none of its own.
        """
        if self.dictionary is None or self._quality is None or apid not in self.dictionary.by_apid:
            return Read()
        try:
            sample = decode_telemetry(self.dictionary, data)
        except DecodeError as error:
            name = self.dictionary.name_of(apid, data)
            count_reason(self.bad, f"{name}: {error}")
            return Read(name, error=str(error))
        packet, values, time = sample.packet, sample.values, sample.header.time_ns
        verdicts = self._quality.judge(packet, values, ert if time is None else time)
        return Read(packet.definition.name, sample, verdicts=verdicts)


def count_reason(reasons: Counter[str], reason: str, count: int = 1) -> None:
    """Count by reason; these are bounded, for there are numbers in some."""
    known = reason in reasons or len(reasons) < _REASONS_KEPT
    reasons[reason if known else "other reasons"] += count
