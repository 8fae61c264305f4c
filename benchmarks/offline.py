"""Offline decoding, side by side in one run: the naive script, bare ``crc_hqx`` over the frames, and other packages.

On files that it makes. Ratios count, not seconds; each is the fastest of several rounds in turn. A peer that is not
installed is left out and named. ``--long``: 500 MB through ``groundstation decode`` as well, for its memory.
"""

from __future__ import annotations

import binascii
import logging
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import construct as c
import numpy as np
from bench_decode import peer
from naive_frames import packets_of

from groundstation.captures.decoders import make_decoder
from groundstation.captures.guessing.guess import FURTHER_SIZE, HEAD, Sample, guess
from protocols.capture_profile import PacketsProfile
from protocols.ccsds.aos_frame import NO_PACKET_START, AosFrame
from protocols.ccsds.space_packet import encode_packet
from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.declare.headers import PacketHeader, cds_time
from protocols.decode.bulk_index import BATCH, index_frames, index_packets
from protocols.decode.bulk_packets import decode_batch
from protocols.profile import LinkProfile
from protocols.profile_text import profile_to_toml
from protocols.structures.codec import Codec
from protocols.sync.frames import encode_cadu

FRAME = 1115
LINK = LinkProfile(kind="AOS", frame_length=FRAME)
ROUNDS = 7
MEGABYTES = 32
READ = 1 << 17

GEOLOCATION = PacketDef(
    "GEOLOCATION",
    11,
    body=c.Struct(
        "spacecraft" / c.Int8ub,
        "day" / c.Int16ub,
        "ms" / c.Int32ub,
        "us" / c.Int16ub,
        *(f"position_{axis}" / c.Float32b for axis in "xyz"),
        *(f"velocity_{axis}" / c.Float32b for axis in "xyz"),
        "attitude_day" / c.Int16ub,
        "attitude_ms" / c.Int32ub,
        "attitude_us" / c.Int16ub,
        *(f"quaternion_{n}" / c.Float32b for n in range(4)),
    ),
    header=PacketHeader("own", cds_time(2, 2)),
    description="As the diary packets of a weather satellite.",
)
JPSS = Dictionary("JPSS", 1, (GEOLOCATION,), (), (), ())


def in_turn(ways: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """The fastest of several rounds of each, in seconds of CPU."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, action in ways.items():
            start = time.process_time()
            action()
            best[name] = min(best[name], time.process_time() - start)
    return best


def pieces(path: Path, size: int = READ) -> Iterator[bytes]:
    """A file in pieces."""
    with path.open("rb") as file:
        while data := file.read(size):
            yield data


def write_frames(path: Path, size: int, megabytes: int) -> None:
    """Frames full of packets of one size, of three APIDs."""
    chance = random.Random(size)
    length, rest, position = LINK.data_length, b"", 0
    count = [0, 0, 0]
    with path.open("wb") as file:
        for number in range(megabytes * 1_000_000 // LINK.cadu_length):
            while len(rest) < length:
                which = chance.randrange(3)
                rest += encode_packet((3, 77, 500)[which], count[which] & 0x3FFF, chance.randbytes(size - 6))
                count[which] += 1
            pointer = -position % size
            field, rest = rest[:length], rest[length:]
            pointer = pointer if pointer < length else NO_PACKET_START
            file.write(encode_cadu(AosFrame(6, 1, number, pointer, field, b"\1\0\0\0"), LINK))
            position += length


def write_packets(path: Path, low: int, high: int, megabytes: int) -> None:
    """Bare packets of four APIDs and of many lengths."""
    chance, counts, done = random.Random(high), dict.fromkeys((3, 77, 500, 1200), 0), 0
    with path.open("wb") as file:
        while done < megabytes * 1_000_000:
            apid = chance.choice(list(counts))
            done += file.write(encode_packet(apid, counts[apid] & 0x3FFF, chance.randbytes(chance.randint(low, high))))
            counts[apid] += 1


def write_geolocation(path: Path, count: int) -> None:
    """Packets of one type alone, as such files are."""
    chance, codec = random.Random(1), JPSS.by_name["GEOLOCATION"].codec
    assert isinstance(codec, Codec)
    with path.open("wb") as file:
        for number in range(count):
            values = [chance.random() if f.kind == "float" else chance.randrange(200) for f in codec.layout.named]
            stamp = cds_time(2, 2).encode(1_700_000_000_000_000_000 + number * 1_000_000_000)
            file.write(encode_packet(11, number & 0x3FFF, stamp + codec.encode_raw(*values)))


def table(title: str, times: dict[str, float], unit: int, floors: tuple[str, ...]) -> None:
    """One table; how often each is as fast as each of the floors."""
    print(title)
    print(f"  {'':34}{'µs each':>9}" + "".join(f"{'× ' + floor:>24}" for floor in floors))
    for name, taken in times.items():
        ratios = "".join(f"{times[floor] / taken:24.2f}" for floor in floors)
        print(f"  {name:34}{taken / unit * 1e6:9.2f}{ratios}")


def objects(path: Path, profile: LinkProfile | PacketsProfile) -> int:
    """What ``groundstation decode`` does: packets as objects, and all counts."""
    decoder = make_decoder(profile, None)
    return sum(len(decoder.feed(data)) for data in pieces(path)) + len(decoder.finish())


def compare_frames(folder: Path, size: int) -> None:
    """Frames with packets of one size."""
    path = folder / f"frames-{size}.bin"
    write_frames(path, size, MEGABYTES)
    data, count = path.read_bytes(), path.stat().st_size // LINK.cadu_length

    def checksums() -> None:
        for at in range(4, len(data), LINK.cadu_length):
            binascii.crc_hqx(data[at : at + FRAME], 0xFFFF)

    def arrays() -> int:
        return sum(len(each.apid) for each in index_frames(pieces(path, BATCH), LINK))

    found = objects(path, LINK), arrays(), len(packets_of(str(path), FRAME))
    assert len(set(found)) == 1, found
    ways: dict[str, Callable[[], object]] = {
        "naive script": lambda: packets_of(str(path), FRAME),
        "crc_hqx": checksums,
        "decode: packets as objects": lambda: objects(path, LINK),
        "index_frames: packets as arrays": arrays,
    }
    spent = whole_processes(folder, path)
    title = f"{count} AOS frames of {FRAME} bytes with {found[0]} packets of {size} bytes, a frame"
    table(title, in_turn(ways), count, ("naive script", "crc_hqx"))
    script, ours = spent
    print(f"  whole processes, start-up taken off: decode is {script / ours:.2f} × the naive script")


def whole_processes(folder: Path, path: Path) -> tuple[float, float]:
    """CPU seconds of the naive script and of ``groundstation decode``, without those of the same with ten frames."""
    toml, short = folder / "link.toml", folder / "short.bin"
    toml.write_text(profile_to_toml(LINK))
    short.write_bytes(path.read_bytes()[: 10 * LINK.cadu_length])
    script = [sys.executable, str(Path(__file__).with_name("naive_frames.py"))]
    decode = [sys.executable, "-m", "groundstation.cli", "decode", "--link-profile", str(toml)]
    commands = {
        (name, file): command
        for file in (short, path)
        for name, command in (("script", [*script, str(file), str(FRAME)]), ("decode", [*decode, str(file)]))
    }
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(ROUNDS):
        for key, command in commands.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            best[key] = min(best[key], after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return tuple(best[name, path] - best[name, short] for name in ("script", "decode"))  # type: ignore[return-value]


def compare_packets(folder: Path, low: int, high: int) -> None:
    """Bare packets: all read the file themselves."""
    path = folder / f"packets-{high}.bin"
    write_packets(path, low, high, MEGABYTES // 2)
    profile = PacketsProfile()
    count = objects(path, profile)
    ways: dict[str, Callable[[], object]] = {}
    if (parser := peer("space_packet_parser.generators")) is not None:

        def split() -> object:
            with path.open("rb") as file:
                return list(parser.ccsds_generator(file))

        ways["space_packet_parser"] = split
    if (ccsdspy := peer("ccsdspy.utils")) is not None:
        ways["ccsdspy"] = lambda: ccsdspy.split_packet_bytes(str(path))
    floors = tuple(ways)
    ways["decode: packets as objects"] = lambda: objects(path, profile)
    ways["index_packets: packets as arrays"] = lambda: sum(
        len(each.apid) for each in index_packets(pieces(path, BATCH), profile)
    )
    table(f"{count} bare packets of {low + 6} to {high + 6} bytes, a packet", in_turn(ways), count, floors)


def compare_columns(folder: Path) -> None:
    """Packets of one type to a column for each field."""
    path, count = folder / "geolocation.bin", 100_000
    write_geolocation(path, count)
    packet = JPSS.by_name["GEOLOCATION"]
    size = path.stat().st_size // count

    def ours() -> int:
        batches = (each.joined(11) for each in index_packets(pieces(path, BATCH), PacketsProfile()))
        columns = [decode_batch(each, packet) for each in batches if each]
        return sum(len(each["day"]) for each in columns)

    assert ours() == count
    ways: dict[str, Callable[[], object]] = {}
    if (ccsdspy := peer("ccsdspy")) is not None:
        kinds = {"uint": "uint", "float": "float"}
        logging.disable(logging.WARNING)  # of counts that turn over
        fields = [ccsdspy.PacketField("time", "fill", 64)]
        fields += [ccsdspy.PacketField(f.name, kinds[f.kind], f.bits) for f in packet.codec.layout.named]
        reader = ccsdspy.FixedLength(fields)

        def theirs() -> object:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return reader.load(str(path))

        assert np.array_equal(theirs()["ms"][:9], decode_batch(path.read_bytes()[: 9 * size], packet)["ms"])  # type: ignore[index]
        ways["ccsdspy fixed length"] = theirs
    floors = tuple(ways)
    ways["index_packets and decode_batch"] = ours
    table(f"{count} packets of {size} bytes to columns, a packet", in_turn(ways), count, floors)


def time_guess(folder: Path) -> None:
    """A bare file, and what a wrong length costs."""
    path = folder / "bare.bin"
    stripped = (folder / "frames-1000.bin").read_bytes()
    frames = [stripped[at + 4 : at + LINK.cadu_length] for at in range(0, len(stripped), LINK.cadu_length)]
    path.write_bytes(b"".join(frames) * 2)
    data = path.read_bytes()
    places = [len(data) * n // 4 for n in (1, 2, 3)]
    samples = [Sample(0, data[:HEAD]), *(Sample(at, data[at : at + FURTHER_SIZE]) for at in places)]
    taken = in_turn({"guess": lambda: guess(samples)}, 3)["guess"]
    print(f"guessing {len(data) // 1_000_000} MB of bare frames: {taken:.2f} s; {guess(samples).evidence[0]}")
    profile = folder / "wrong.toml"
    profile.write_text(profile_to_toml(LinkProfile(kind="AOS", frame_length=1000, asm=b"")))
    command = [sys.executable, "-m", "groundstation.cli", "decode", str(path), "--link-profile", str(profile)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert done.returncode == 16, done.stderr
    print(f"decode with a wrong length, start included: {spent:.2f} s of CPU until it is told")


def measure_memory(folder: Path) -> None:
    """The largest resident set of ``groundstation decode``."""
    toml = folder / "link.toml"
    toml.write_text(profile_to_toml(LINK))
    for megabytes in (50, 500):
        path = folder / "long.bin"
        write_frames(path, 1000, megabytes)
        code = (
            "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        command = [sys.executable, "-m", "groundstation.cli", "decode", str(path), "--link-profile", str(toml)]
        done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True)
        print(f"decode of {megabytes} MB: {int(done.stdout) / 1024:.0f} MiB resident at most")
        path.unlink()


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare_frames(folder, 1000)
        compare_frames(folder, 40)
        compare_packets(folder, 1, 80)
        compare_packets(folder, 900, 1100)
        compare_columns(folder)
        time_guess(folder)
        if "--long" in sys.argv[1:]:
            measure_memory(folder)


if __name__ == "__main__":
    main()
