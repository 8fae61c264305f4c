"""The sdist and the Makefile: what is packed, and what `make clean` leaves."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import groundstation
import hil
import protocols

ROOT = Path(__file__).parents[2]


def tracked() -> list[str]:
    """All files of the checkout, or of the unpacked sdist that these tests run from."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: which files belong to it is not known")
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in names if name and (ROOT / name).exists()]


@pytest.mark.long
def test_the_sdist_holds_every_file_of_the_repository(tmp_path: Path) -> None:
    files = tracked()
    source = tmp_path / "source"
    for name in files:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name, follow_symlinks=False)
    for leftover in ("hil/firmware/build/posix/lander", "protocols/__pycache__/x.pyc", "out/report.html"):
        (source / leftover).parent.mkdir(parents=True, exist_ok=True)
        (source / leftover).touch()
    build = "import setuptools.build_meta as m, sys; print(m.build_sdist(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    name = f"mars6_groundstation-{protocols.__version__}"
    with tarfile.open(tmp_path / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    packed = {str(path.relative_to(tmp_path / name)) for path in (tmp_path / name).rglob("*") if path.is_file()}
    made = {path for path in packed if path in {"PKG-INFO", "setup.cfg"} or ".egg-info/" in path}
    assert packed - made == set(files)
    for file in files:
        assert (tmp_path / name / file).read_bytes() == (ROOT / file).read_bytes(), file


def test_three_packages_have_one_version() -> None:
    assert groundstation.__version__ == hil.__version__ == protocols.__version__
    for program in ("groundstation", "hil"):
        command = [sys.executable, "-m", f"{program}.cli", "--version"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.split()[-1] == protocols.__version__


def test_make_clean_removes_all_that_git_ignores(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    folders = [pattern.replace("*", "package").rstrip("/") for pattern in ignored]
    folders += ["hil/firmware/build", "tools/simavr-runner/build", "protocols/ccsds/__pycache__"]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "made").touch()
    kept = [tmp_path / "protocols" / "ccsds" / "pus.py", tmp_path / "docs" / "index.md"]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path / "Makefile", *kept}
