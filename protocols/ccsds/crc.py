"""CRC-16 of CCSDS 132.0-B §4.1.6 (FECF) and ECSS-E-ST-70-41C annex B (packet error control).

Polynomial 1021h, preset FFFFh, no reflection. Over data that ends in its own CRC the result is 0.
"""

from __future__ import annotations

import binascii


def crc16(data: bytes | bytearray | memoryview) -> int:
    """CRC-16-CCITT of ``data``, 0 … 65535. ``b"123456789"`` gives 0x29B1."""
    return binascii.crc_hqx(data, 0xFFFF)
