"""Text files that a user names: refused with file and line if they are no text, or too long."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundstation.errors import CallerError
from groundstation.formats.text_file import read_text


def test_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes("höhe = 1\n".encode())
    assert read_text(tmp_path / "a.toml") == "höhe = 1\n"


def test_bytes_that_are_not_utf8_are_refused_with_line(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"a = 1\nb = 2\nc = '\xff'\n")
    with pytest.raises(CallerError, match=r"a\.toml: not UTF-8: byte 0xff in line 3$"):
        read_text(tmp_path / "a.toml")


def test_an_absent_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"b\.toml: No such file"):
        read_text(tmp_path / "b.toml")
    with pytest.raises(CallerError, match="Is a directory"):
        read_text(tmp_path)


def test_a_file_without_end_is_refused_at_once() -> None:
    with pytest.raises(CallerError, match=r"/dev/zero: longer than 1,048,576 bytes"):
        read_text(Path("/dev/zero"))
