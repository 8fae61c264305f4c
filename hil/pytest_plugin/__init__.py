"""The pytest plugin: scenarios as tests, and flights with branches as fixtures. pytest finds it by its entry point.

    __init__   options, fixtures, and the hooks that every session calls: nothing heavy is imported here
    option_types    the numbers of the options
    session    what a session that flies shares: the choice of targets, bundles, the report
    boards     the boards that it may fly
    items      scenario files as test items
    flight     the verbs of ``hil_flight``: what to do, fly, and what has to hold
    evidence   what a bundle says of a loss and of a silence

Until a test or an option asks for a flight nothing but this file is loaded, and no hook of a running test is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hil.pytest_plugin import option_types

if TYPE_CHECKING:
    from hil.pytest_plugin.flight import Flight
    from hil.pytest_plugin.session import HilSession

_HEAD = re.compile(r"^\s*\[\s*scenario\s*\]", re.MULTILINE)
REQUIREMENTS, TAGS, EXPECT = "hil_requirements", "hil_tags", "hil_expect"
MARKERS = {
    REQUIREMENTS: "hil_requirements(*ids): requirements that the test verifies; in JUnit and in the report's coverage",
    EXPECT: "hil_expect(parameter, **keys): an expectation on telemetry of every flight of the test, as [[expect]]",
    TAGS: "hil_tags(*tags): words to choose tests by, with -k; in JUnit",
}
"""Names of the markers, and what pytest says of them."""
DEFAULT_SEED = 6
"""Of flights; a scenario's file has its own."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options ``--hil-…`` and what they are by default."""
    group = parser.getgroup("hil", "hardware in the loop: descents of Mars 6")
    group.addoption(
        "--hil-target",
        action="append",
        metavar="NAME",
        help="targets: software (the default), posix, qemu, simavr, process, board; several by commas or options",
    )
    group.addoption(
        "--hil-mode",
        choices=("lockstep", "realtime"),
        help="without a clock, or over a real port; default: the scenario's first mode that the target supports",
    )
    group.addoption("--hil-seed", type=option_types.seed, metavar="N", help="random seed; default: the scenario's")
    group.addoption("--hil-report", metavar="DIR", help="keep all bundles here, and write report.html at the end")
    group.addoption(
        "--hil-port",
        action="append",
        metavar="PORT",
        help="port of the target board, --hil-port=PORT in one word: a device, serial:DEVICE?baud=N, a serial number, "
        "auto (the default: the one board on which a lander answers), or all: each flight takes one that is free",
    )
    group.addoption(
        "--hil-baud", type=option_types.baud, metavar="N", help="baud rate of the board's port; 115200 by default"
    )
    group.addoption(
        "--hil-board-wait",
        type=option_types.seconds,
        default=1800.0,
        metavar="SECONDS",
        help="how long to wait for a board that another run or worker uses; 1800 by default",
    )
    group.addoption(
        "--hil-image",
        metavar="FILE",
        help="image of the firmware, ELF or Intel HEX; by default the build, or the prebuilt one, of the sources here",
    )
    group.addoption(
        "--hil-mission",
        metavar="NAME",
        help="mission where none is named: an installed one, module:NAME, or a file; default: mars6",
    )
    group.addoption(
        "--hil-command",
        metavar="COMMAND",
        help="command line of the target process, as 'lander.py {port}'; {port} is the path of its serial line",
    )
    parser.addini("hil_mission", "mission when --hil-mission is not given")
    parser.addini("hil_command", "command line of the target process when --hil-command is not given")
    parser.addini("hil_targets", "targets when --hil-target is not given", type="args", default=[])
    parser.addini("hil_scenarios", "scenario files that are tests: patterns as 'scenarios/*.toml'", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, and refuse a wrong option before anything is collected."""
    for text in MARKERS.values():
        config.addinivalue_line("markers", text)
    if any(
        config.getoption(name) is not None for name in ("--hil-target", "--hil-report", "--hil-port", "--hil-image")
    ):
        session_of(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """The targets, if --hil-target is given."""
    if config.getoption("--hil-target") is None:
        return None
    return f"hil: {', '.join(session_of(config).targets)}"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A scenario's file, if it was asked for: by ``hil_scenarios``, or by name on the command line."""
    if file_path.suffix != ".toml":
        return None
    patterns = parent.config.getini("hil_scenarios")
    named = any(file_path.match(pattern) for pattern in patterns)
    if not named and not (parent.session.isinitpath(file_path) and _is_scenario(file_path)):
        return None
    from hil.pytest_plugin.items import ScenarioFile  # noqa: PLC0415 - only now is it needed

    return ScenarioFile.from_parent(parent, path=file_path)


def _is_scenario(path: Path) -> bool:
    """Whether it says so; other TOML is not ours."""
    return _HEAD.search(path.read_text(encoding="utf-8", errors="replace")) is not None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a test that is marked be found by its labels, and told of with them."""
    if any(True for name in (REQUIREMENTS, TAGS) for _ in item.iter_markers(name)):
        from hil.pytest_plugin.labels import labels_of, put_labels  # noqa: PLC0415 - only now is it needed

        put_labels(item, labels_of(item, REQUIREMENTS), labels_of(item, TAGS))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that flies on every target that was chosen, unless it says its own."""
    if "hil_target" not in metafunc.fixturenames:
        return
    own = (marker.args[0] for marker in metafunc.definition.iter_markers("parametrize") if marker.args)
    if not any("hil_target" in (names.split(",") if isinstance(names, str) else names) for names in own):
        targets = session_of(metafunc.config).targets
        metafunc.parametrize("hil_target", targets, indirect=True, scope="session")


@pytest.fixture(scope="session")
def hil_target(request: pytest.FixtureRequest) -> str:
    """The name of the target: the test runs once on each of ``--hil-target``. One that is not here is a skip."""
    session = session_of(request.config)
    name: str = getattr(request, "param", session.targets[0])
    session.require(name)
    return name


@pytest.fixture(scope="session")
def hil_seed(pytestconfig: pytest.Config) -> int:
    """The seed of all random numbers: ``--hil-seed``."""
    seed = session_of(pytestconfig).seed
    return DEFAULT_SEED if seed is None else seed


@pytest.fixture
def hil_flights(request: pytest.FixtureRequest, hil_target: str, hil_seed: int) -> Iterator[Callable[[], Flight]]:
    """Makes flights, for tests that fly more than once: ``first, second = hil_flights(), hil_flights()``."""
    from hil.pytest_plugin.flight import Flight  # noqa: PLC0415 - only now is it needed

    session, made = session_of(request.config), list[Flight]()

    def make() -> Flight:
        made.append(Flight(request.node, session, hil_target, hil_seed))
        return made[-1]

    yield make
    session.check_flown(request.node, made)


@pytest.fixture
def hil_flight(hil_flights: Callable[[], Flight]) -> Flight:
    """A descent: say what is to go wrong, `fly`, and assert what has to hold. docs/hil-tests.md has the verbs."""
    return hil_flights()


def session_of(config: pytest.Config) -> HilSession:
    """What this session shares; made when it is first asked for."""
    from hil.pytest_plugin.session import KEY, HilSession  # noqa: PLC0415 - only now is it needed

    if KEY not in config.stash:
        config.stash[KEY] = session = HilSession(config)
        config.pluginmanager.register(session, "mars6-hil-session")
    return config.stash[KEY]
