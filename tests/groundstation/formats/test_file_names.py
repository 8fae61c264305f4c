"""A name from elsewhere names one file, and leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstation.errors import CallerError
from groundstation.formats.file_names import LONGEST, as_file_name, file_name


@pytest.mark.parametrize("text", ["los-091105-qemu", "Abstieg 2", "höhe", "a..b", "000017", "x" * LONGEST, "a:b?*"])
def test_a_name_stays_as_it_is(text: str) -> None:
    assert file_name(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", ".hidden", "-rf", "a\nb", "a\x00b", "a\x1b[2Jb"),
        *("a\x7fb", "a\x9bb", "a\u202eb", "a\u200bb", "a\udcffb", "x" * (LONGEST + 1), "ö" * LONGEST),
    ],
)
def test_a_path_or_an_unseen_character_is_refused(text: str) -> None:
    with pytest.raises(CallerError) as refused:
        file_name(text, "out/result.json: run")
    assert str(refused.value).startswith("out/result.json: run: ")
    assert str(refused.value).isprintable()


@given(st.text(max_size=300))
def test_a_name_that_passes_stays_in_its_folder(text: str) -> None:
    folder = Path("/tmp/reports")
    try:
        path = folder / file_name(text)
    except CallerError:
        return
    assert path.parent == folder
    assert path.name == text


@given(st.text(max_size=300))
def test_a_name_after_any_text_is_one(text: str) -> None:
    assert file_name(as_file_name(text)) == as_file_name(text)
