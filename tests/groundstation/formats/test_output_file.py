"""What this program writes is whole or not there, replaces nothing unasked, and goes through no link."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from groundstation.errors import CallerError
from groundstation.formats.output_file import OutputFile, check_free, write_numbered, write_output


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with OutputFile(path) as output:
        output.file.write(b"half")
        assert not path.exists()
        (part,) = names(tmp_path)
        assert part.startswith("a.csv.") and part.endswith(".part")
        output.file.write(b" whole")
    assert path.read_bytes() == b"half whole"
    assert names(tmp_path) == ["a.csv"]


def test_the_mode_is_what_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_output(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("force", [False, True])
def test_an_error_leaves_what_was_there(tmp_path: Path, force: bool) -> None:
    path = tmp_path / "a"
    if force:
        path.write_text("before")
    with pytest.raises(KeyboardInterrupt), OutputFile(path, force=force) as output:
        output.file.write(b"half")
        raise KeyboardInterrupt
    assert names(tmp_path) == (["a"] if force else [])
    assert not force or path.read_text() == "before"


def test_what_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("before")
    with pytest.raises(CallerError, match=r"a exists: --force overwrites it"):
        write_output(path, b"after")
    assert path.read_text() == "before"
    write_output(path, b"after", force=True)
    assert path.read_text() == "after"


def test_what_came_in_the_meantime_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with pytest.raises(CallerError, match="exists"), OutputFile(path) as output:
        output.file.write(b"ours")
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_is_not_written_through(tmp_path: Path, force: bool, dangling: bool) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "out"
    folder.mkdir()
    if not dangling:
        secret.write_text("precious")
    path = folder / "a"
    path.symlink_to(secret)
    if force:
        write_output(path, b"table", force=True)
        assert path.read_bytes() == b"table" and not path.is_symlink()
    else:
        with pytest.raises(CallerError, match="exists"):
            write_output(path, b"table")
    assert not secret.exists() if dangling else secret.read_text() == "precious"


def test_a_part_that_was_laid_out_as_a_link_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("precious")
    monkeypatch.setattr("secrets.token_hex", lambda size: "0" * 2 * size)  # a stranger who knows what will be drawn
    (tmp_path / "a.00000000.part").symlink_to(secret)
    with pytest.raises(FileExistsError):
        write_output(tmp_path / "a", b"table")
    assert secret.read_text() == "precious"


def test_a_fifo_is_written_at_once(tmp_path: Path) -> None:
    fifo, got = tmp_path / "fifo", list[bytes]()
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    write_output(fifo, b"table")
    reader.join(10)
    assert got == [b"table"]
    assert names(tmp_path) == ["fifo"]


def test_our_own_output_is_written_at_once(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from groundstation.formats.output_file import write_output; "
    code += "write_output(Path(sys.argv[1]), b'table', force=True)"
    for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        with (tmp_path / "out").open("wb") as out:
            subprocess.run([sys.executable, "-c", code, name], stdout=out, check=True)
        assert (tmp_path / "out").read_bytes() == b"table"
    assert Path("/dev/stdout").is_symlink()


def test_a_link_to_a_fifo_is_a_link(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "fifo")
    with pytest.raises(CallerError, match="exists"):
        write_output(tmp_path / "link", b"table")


def test_one_of_many_writers_gets_the_name(tmp_path: Path) -> None:
    path, start, named = tmp_path / "rows", threading.Barrier(8), list[int]()

    def run(number: int) -> None:
        start.wait()
        with suppress(CallerError):
            write_output(path, b"%d" % number * 1000)
            named.append(number)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = named
    assert path.read_bytes() == b"%d" % winner * 1000
    assert names(tmp_path) == ["rows"]


def test_a_disk_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write_output(tmp_path / "rows", b"ours")
    assert (tmp_path / "rows").read_bytes() == b"ours"
    with pytest.raises(CallerError, match="exists"), OutputFile(tmp_path / "other"):
        (tmp_path / "other").write_bytes(b"theirs")
    assert (tmp_path / "other").read_bytes() == b"theirs"
    assert names(tmp_path) == ["other", "rows"]


def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="is a folder"):
        check_free(tmp_path, force=True)
    with pytest.raises(FileNotFoundError):
        write_output(tmp_path / "not" / "there", b"")


def test_numbered_files_replace_nothing(tmp_path: Path) -> None:
    made = [write_numbered(tmp_path / "screen.svg", b"%d" % n) for n in range(3)]
    assert [path.name for path in made] == ["screen.svg", "screen-2.svg", "screen-3.svg"]
    assert [path.read_bytes() for path in made] == [b"0", b"1", b"2"]


def test_a_name_as_long_as_names_may_be_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 127 + "x")
    write_output(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = Path("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_output(path, b"table")
    assert stat.S_ISCHR(path.stat().st_mode)
