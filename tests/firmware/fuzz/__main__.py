"""Fuzz the C command path with libFuzzer under ASan and UBSan; clang is needed.

python -m tests.firmware.fuzz --runs 10000000          what it finds stays in build/fuzz
python -m tests.firmware.fuzz --runs 100000 --keep     the minimised corpus becomes that of the repository
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from tests.firmware.core import FIRMWARE
from tests.firmware.fuzz.corpus import TARGET, pack, unpack

BUILD = Path("build") / "fuzz"
LONGEST = 600
SANITIZERS = "-fsanitize=fuzzer,address,undefined"


def build() -> Path:
    program = BUILD / "commands"
    sources = [str(TARGET), *map(str, sorted((FIRMWARE / "core").glob("*.c")))]
    flags = ["-std=c11", "-g", "-O1", SANITIZERS, "-fno-sanitize-recover=all", "-I", str(FIRMWARE)]
    subprocess.run(["clang", *flags, *sources, "-o", str(program)], check=True)
    return program.resolve()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000_000, help="executions")
    parser.add_argument("--seconds", type=int, default=0, help="stop after so long; 0: never")
    parser.add_argument("--keep", action="store_true", help="minimise the corpus and put it into the repository")
    arguments = parser.parse_args()
    found, small = BUILD / "corpus", BUILD / "small"
    BUILD.mkdir(parents=True, exist_ok=True)
    unpack(found)
    program = build()
    limits = [f"-runs={arguments.runs}", f"-max_total_time={arguments.seconds}", f"-max_len={LONGEST}"]
    done = subprocess.run([program, *limits, "-print_final_stats=1", found.resolve()], cwd=BUILD, check=False)
    if done.returncode == 0 and arguments.keep:
        shutil.rmtree(small, ignore_errors=True)
        small.mkdir()
        subprocess.run([program, "-merge=1", small.resolve(), found.resolve()], cwd=BUILD, check=True)
        pack(small)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
