"""Communications link control word, CCSDS 232.0-B §4.2: what FARM-1 tells FOP-1, in every frame's OCF."""

from __future__ import annotations

from dataclasses import dataclass

import construct

from protocols.structures.codec import compile_codec

CLCW = construct.BitStruct(
    "type" / construct.BitsInteger(1),
    "version" / construct.BitsInteger(2),
    "status" / construct.BitsInteger(3),
    "cop" / construct.BitsInteger(2),
    "vcid" / construct.BitsInteger(6),
    construct.Padding(2),
    "no_rf" / construct.Flag,
    "no_bit_lock" / construct.Flag,
    "lockout" / construct.Flag,
    "wait" / construct.Flag,
    "retransmit" / construct.Flag,
    "farm_b" / construct.BitsInteger(2),
    construct.Padding(1),
    "report" / construct.BitsInteger(8),
)
_codec = compile_codec(CLCW, "CLCW")


@dataclass(frozen=True, slots=True)
class Clcw:
    """CLCW of virtual channel ``vcid``. ``report`` is V(R), ``farm_b`` the FARM-B counter modulo 4."""

    vcid: int = 0
    lockout: bool = False
    wait: bool = False
    retransmit: bool = False
    farm_b: int = 0
    report: int = 0
    no_rf: bool = False
    no_bit_lock: bool = False

    def encode(self) -> bytes:
        """Four bytes.

        Raises:
            EncodeError: a value does not fit its field.
        """
        return _codec.encode_raw(
            0,
            0,
            0,
            1,
            self.vcid,
            self.no_rf,
            self.no_bit_lock,
            self.lockout,
            self.wait,
            self.retransmit,
            self.farm_b,
            self.report,
        )


def decode_clcw(data: bytes) -> Clcw:
    """The CLCW in four bytes.

    Raises:
        DecodeError: fewer than four bytes.
    """
    _, _, _, _, vcid, no_rf, no_bit, lockout, wait, retransmit, farm_b, report = _codec.decode_raw(data, 0)
    return Clcw(vcid, lockout, wait, retransmit, farm_b, report, no_rf, no_bit)
