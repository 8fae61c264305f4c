"""A host with boards on USB, for whole commands: a namespace with a /sys and a /dev of the test's own.

What `tests.groundstation.links.usb_tree` has plugged into a folder is what programs in there see; the locks of boards
are of that host, too. Neither root is needed nor anything of this machine is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

_ENTER = """
set -e
root="$1"; shift
mkdir "$root/host"
mount -t tmpfs none "$root/host"
for node in null zero full random urandom tty; do
    touch "$root/host/$node"; mount --bind "/dev/$node" "$root/host/$node"
done
for folder in pts shm; do mkdir "$root/host/$folder"; mount --rbind "/dev/$folder" "$root/host/$folder"; done
ln -s pts/ptmx "$root/host/ptmx"
ln -s /proc/self/fd "$root/host/fd"
cp -a "$root/dev/." "$root/host/"
mount --rbind "$root/host" /dev
mount --bind "$root/sys" /sys
mount -t tmpfs -o mode=1777 none /run/lock
exec "$@"
"""


def missing() -> str | None:
    """Why there can be no such host here."""
    if shutil.which("unshare") is None:
        return "not installed: unshare"
    trial = subprocess.run(["unshare", "-Umr", "mount", "-t", "tmpfs", "none", "/run"], timeout=10, check=False)
    return "this system does not allow user namespaces" if trial.returncode else None


def require() -> None:
    """Skip where there can be none; in CI that is a failure."""
    why = missing()
    if why and os.environ.get("MARS6_REQUIRE_ALL"):
        pytest.fail(why)
    if why:
        pytest.skip(why)


def on_host(root: Path, program: str, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run ``hil`` or ``groundstation`` to its end on the host whose /sys and /dev are in a folder."""
    return subprocess.run(
        command(root, [sys.executable, "-m", f"{program}.cli", *words]),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def command(root: Path, words: Sequence[str]) -> list[str]:
    """The command line that runs another one there; once for each folder."""
    for folder in ("sys", "dev"):
        (root / folder).mkdir(exist_ok=True)
    shutil.rmtree(root / "host", ignore_errors=True)
    return ["unshare", "-Umr", "bash", "-c", _ENTER, "bash", str(root), *words]
