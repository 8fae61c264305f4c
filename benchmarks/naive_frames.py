"""What one writes in an afternoon: AOS frames with ASM and FECF to packets, no resynchronisation, no counts of losses.

The benchmark of offline decoding compares with it; it is run as a script, too: ``naive_frames.py FILE LENGTH``.
"""

from __future__ import annotations

import binascii
import sys

ASM = bytes.fromhex("1ACFFC1D")


def packets_of(path: str, length: int) -> list[tuple[int, int, bytes]]:
    """APID, sequence count and bytes of every space packet in a file of frames of one length, OCF and FECF included."""
    found = []
    partial: dict[int, bytes] = {}
    counts: dict[int, int] = {}
    cadu = len(ASM) + length
    with open(path, "rb") as file:
        while len(block := file.read(cadu)) == cadu:
            if not block.startswith(ASM):
                raise ValueError("no ASM")
            frame = block[4:]
            if binascii.crc_hqx(frame, 0xFFFF):
                continue
            vcid = frame[1] & 0x3F
            count = int.from_bytes(frame[2:5], "big")
            pointer = (frame[6] & 7) << 8 | frame[7]
            data = frame[8:-6]
            follows = (count - counts.get(vcid, count)) & 0xFFFFFF == 1
            counts[vcid] = count
            if pointer == 0x7FF:
                stream = partial[vcid] + data if follows else b""
            elif pointer == 0x7FE:
                continue
            elif follows:
                stream = partial[vcid] + data
            else:
                stream = data[pointer:]
            at, end = 0, len(stream)
            while at + 6 <= end:
                size = 7 + (stream[at + 4] << 8 | stream[at + 5])
                if at + size > end:
                    break
                apid = (stream[at] & 7) << 8 | stream[at + 1]
                if apid != 0x7FF:
                    sequence = (stream[at + 2] & 0x3F) << 8 | stream[at + 3]
                    found.append((apid, sequence, stream[at : at + size]))
                at += size
            partial[vcid] = stream[at:]
    return found


if __name__ == "__main__":
    print(len(packets_of(sys.argv[1], int(sys.argv[2]))))
