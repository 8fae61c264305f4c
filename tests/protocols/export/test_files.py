"""The committed exports and the shell that writes and compares them."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.export import EXPORTS
from protocols.export.__main__ import main
from protocols.lander import MARS6

ROOT = Path(__file__).parents[3]


def test_the_committed_exports_are_those_of_the_declaration() -> None:
    assert main(["check", "--root", str(ROOT)]) == 0


def test_every_export_is_the_same_each_time_and_carries_the_hash() -> None:
    for render in EXPORTS.values():
        text = render(MARS6)
        assert text == render(MARS6)
        assert MARS6.hash_text in text.lower()
        assert text.endswith("\n")


def test_check_names_what_differs_and_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--root", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count(": missing") == len(EXPORTS)
    assert main(["all", "--root", str(tmp_path)]) == 0
    assert main(["check", "--root", str(tmp_path)]) == 0
    icd = tmp_path / "docs/icd.md"
    lines = icd.read_text(encoding="utf-8").splitlines(keepends=True)
    icd.write_text("".join([*lines[:4], "changed by hand\n", *lines[5:]]), encoding="utf-8")
    capsys.readouterr()
    assert main(["check", "--root", str(tmp_path)]) == 1
    assert f"{icd}:5: differs" in capsys.readouterr().err


def test_an_unknown_dictionary_is_the_callers_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--dictionary", "protocols.lander:MARS7"]) == 2
    assert "did you mean 'MARS6'?" in capsys.readouterr().err


def test_the_interface_document_has_every_packet_field_command_and_event() -> None:
    text = (ROOT / "docs/icd.md").read_text(encoding="utf-8")
    for packet in MARS6.by_name.values():
        assert f"### {packet.definition.name}\n" in text
        for parameter in packet.parameters:
            assert f"`{parameter.name}`" in text
    for command in MARS6.command_by_name.values():
        assert f"| `{command.definition.name}` |" in text
    for event in MARS6.events:
        assert f"| {event.number} | {event.name} |" in text


@pytest.mark.parametrize("link", [False, True])
def test_file_that_was_not_generated_is_replaced_by_force_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], link: bool
) -> None:
    mine, other = tmp_path / "docs" / "icd.md", tmp_path / "other"
    mine.parent.mkdir()
    other.write_text("precious")
    if link:
        mine.symlink_to(other)
    else:
        mine.write_text("precious")
    assert main(["all", "--root", str(tmp_path)]) == 2
    assert "was not generated: --force" in capsys.readouterr().err
    assert [path.name for path in mine.parent.iterdir()] == ["icd.md"]
    assert mine.read_text() == "precious"
    assert main(["all", "--root", str(tmp_path), "--force"]) == 0
    assert other.read_text() == "precious" and not mine.is_symlink()
    assert main(["all", "--root", str(tmp_path)]) == main(["check", "--root", str(tmp_path)]) == 0
