"""Every code block of README and docs is run, or the table says why not and which test stands in for it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

import groundstation.cli
import hil.cli
from tests.docs.shell import ROOT, Shell
from tests.targets.bench import require

DOCUMENTS = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md")), *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)

BOARD = "needs a board; tests/targets/test_board.py and tests/hil run it with stand-ins"
TERMINAL = "a live descent in the terminal takes half a minute or more; tests/system fly it"
MINUTES = "takes minutes; `make scenarios` and CI fly them"
NOT_RUN = {
    r"^make (run|test|long)\b": "takes minutes; CI runs make test and make long",
    r"^make (setup|format|clean)\b": "changes this checkout; tests/system/test_sdist.py runs make clean",
    r"\bactivate$": "the test sets PATH itself",
    r"^sudo (apt-get|\.venv/bin/groundstation udev)": "needs root; tests/groundstation/cli/test_udev.py installs",
    r"^pip install": "needs an index; tests/system/test_wheel.py installs the wheel",
    r"^(MARS6_REQUIRE_ALL=1 )?pytest\b": "tests within tests; tests/system/test_hil_tests_doc.py runs the suite",
    r"--target board": BOARD,
    r"^hil firmware flash (?!.*--dry-run)": BOARD,
    r"^hil firmware info": BOARD,
    r"^groundstation udev check": BOARD,
    r"^hil fly --speed 10": TERMINAL,
    r"^hil fly --target qemu": TERMINAL,
    r"^hil fly reacquisition": TERMINAL,
    r"^hil run all": MINUTES,
    r"^hil campaign": MINUTES,
    r"^hil run reacquisition --realtime": MINUTES,
    r"my\.elf": "needs an image of the reader's own",
    r"^hil replay out/runs/noisy-descent-qemu": "of a run that is not made; tests/hil/runs flies bundles again",
    r"^hil report out/runs/los-": "of runs that are not made; tests/hil makes reports of bundles",
    r"^hil compare yesterday": "of folders that are not made; tests/hil compares runs",
    r"^groundstation cop unlock": "only in lockout; tests/groundstation/uplink/test_service.py unlocks",
    r"sparrow(_lander)?\b": "flies for half a minute; tests/system/test_own_mission.py flies the page",
    r"^PYTHONPATH=\. python -m protocols\.export": "tests/protocols/declare/test_loading.py runs it",
}
"""Command lines that are not run, and why. Their options are checked all the same."""

OWN_TESTS = {
    ("own-mission.md", "python"): "tests/protocols/declare/test_loading.py",
    ("own-mission.md", "toml"): "tests/system/test_own_mission.py",
    ("python-api.md", "python"): "tests/test_public_api.py",
    ("hil-tests.md", "python"): "tests/system/test_hil_tests_doc.py",
    ("hil-tests.md", "toml"): "tests/system/test_hil_tests_doc.py",
    ("hil-tests.md", "yaml"): "tests/system/test_hil_tests_doc.py",  # written out there; only GitHub can run it
    ("link-profiles.md", "toml"): "tests/docs/test_reference.py",
    ("scenarios.md", "toml"): "tests/docs/test_reference.py",
    ("porting.md", "make"): "hil/firmware/boards/posix.mk",
}
"""Blocks that another test runs, or a file that they are a copy of."""

GROUPS = {"groundstation": groundstation.cli.cli, "hil": hil.cli.cli}


def blocks(path: Path, language: str) -> list[str]:
    return [
        match["text"] for match in BLOCK.finditer(path.read_text(encoding="utf-8")) if match["language"] == language
    ]


def command_lines(path: Path) -> list[str]:
    """The command lines of a document's shell blocks, without comments."""
    text = "\n".join(blocks(path, "sh")).replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)# .*$", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def reason(line: str) -> str | None:
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, line)), None)


def calls(line: str) -> list[list[str]]:
    """The calls of this project's programs in a command line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("|&;"):
            found.append([])
        elif word not in {"sudo", "exec"}:
            found[-1].append(word.removeprefix(".venv/bin/"))
    return [each for each in found if each and each[0] in GROUPS]


def check_options(arguments: list[str]) -> None:
    """See that click takes a command line, without running it."""
    name, *rest = arguments
    command: click.Command = GROUPS[name]
    context: click.Context | None = None
    while isinstance(command, click.Group):
        context = click.Context(command, context, name)
        name, command, rest = command.resolve_command(context, rest)  # type: ignore[assignment]  # a known name
    context = click.Context(command, context, name)
    given, words, _ = command.make_parser(context).parse_args(list(rest))
    assert not words, f"{shlex.join(arguments)}: what is {words}?"
    try:
        for parameter in command.params:  # without their callbacks: those act
            value = given.get(parameter.name)
            if isinstance(value, (str, list, tuple)):
                parameter.type_cast_value(context, value)
            there = isinstance(value, (str, list, tuple, bool, int))
            assert there or not parameter.required, f"{shlex.join(arguments)}: {parameter.name} is missing"
    except click.BadParameter as error:  # files of the reader's own are not here
        if "does not exist" not in error.message:
            raise


@pytest.fixture(scope="session")
def flown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a flight: what the documents' recordings and captures stand for."""
    folder = tmp_path_factory.mktemp("flown")
    with Shell(folder) as shell:
        shell.run("hil run los-lander-only --report out")
    (bundle,) = (folder / "out" / "runs").iterdir()
    return bundle


@pytest.fixture
def folder(tmp_path: Path, flown: Path) -> Path:
    shutil.copy(flown / "recording.sqlite", tmp_path / "pass.sqlite")
    shutil.copy(flown / "sent.bin", tmp_path / "capture.bin")
    (tmp_path / "profile.toml").write_text("frame_length = 128\n", encoding="utf-8")
    return tmp_path


WITH_COMMANDS = pytest.mark.parametrize("path", [p for p in DOCUMENTS if command_lines(p)], ids=lambda path: path.name)


@WITH_COMMANDS
def test_options_are_known_in(path: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    for line in command_lines(path):
        for arguments in calls(shell.filled_in(line)):
            check_options(arguments)


@pytest.mark.long
@pytest.mark.alone  # flights in real time are judged by the millisecond
@pytest.mark.timeout(300)
@WITH_COMMANDS
def test_commands_run_in_order_of(path: Path, folder: Path) -> None:
    with Shell(folder) as shell:
        for line in command_lines(path):
            if reason(line):
                continue
            if "--target qemu" in line:
                require("qemu")
            shell.run(line)


def test_every_reason_is_of_a_command() -> None:
    lines = [line for path in DOCUMENTS for line in command_lines(path)]
    for pattern in NOT_RUN:
        assert any(re.search(pattern, line) for line in lines), f"no document has {pattern}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_blocks_have_a_language_that_is_tested(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("```") == 2 * len(list(BLOCK.finditer(text)))
    for match in BLOCK.finditer(text):
        language = match["language"]
        known = language in {"sh", "text", "python", "toml"} or (path.name, language) in OWN_TESTS
        assert known, f"{path.name}: a block of {language or 'no language'}: {match['text'][:60]}"


def test_other_tests_that_run_blocks_exist() -> None:
    for (name, language), test in OWN_TESTS.items():
        assert blocks(ROOT / "docs" / name, language), f"{name} has no block of {language}"
        assert (ROOT / test).is_file(), test


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_python_and_toml_blocks_are_valid(path: Path, tmp_path: Path) -> None:
    for text in blocks(path, "toml"):
        tomllib.loads(text)
    for text in blocks(path, "python"):
        if (path.name, "python") in OWN_TESTS:
            compile(text, path.name, "exec")
            continue
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_board_file_of_the_porting_guide_is_that_of_posix() -> None:
    (text,) = blocks(ROOT / "docs" / "porting.md", "make")
    board = (ROOT / "hil" / "firmware" / "boards" / "posix.mk").read_text(encoding="utf-8")
    settings = [line for line in board.splitlines() if line and not line.startswith("#")]
    assert text.splitlines() == settings
