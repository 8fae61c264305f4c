"""One scenario, flown and judged by a call: what ``hil run`` does, for programs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from groundstation.host.clock import host_clock
from hil.runs.find import default_mode, find_image, find_scenario
from hil.runs.run import Plan, check_plan, fly_plan
from hil.scenario.scenario import Mode, Scenario, load_scenario, with_seed
from hil.targets.board_ports import BoardPort
from hil.targets.program import words_of
from hil.verdict.result import RunResult


def run_scenario(
    scenario: Scenario | str | Path,
    target: str = "software",
    *,
    mode: Mode | None = None,
    seed: int | None = None,
    speed: float | None = None,
    ports: tuple[BoardPort, ...] = (),
    command: str = "",
    bundle: str | Path | None = None,
    progress: Callable[[int], None] = lambda time: None,
) -> RunResult:
    """Fly a scenario and judge it.

    Args:
        scenario: one that is loaded, the name of one that is shipped, or the path of a TOML file.
        target: its name: software, posix, qemu, simavr, process, board.
        mode: "lockstep" or "realtime"; by default the scenario's first in which the target can be flown.
        seed: of all random numbers; by default the scenario's.
        speed: in real time, mission seconds a second; by default the scenario's.
        ports: of the target ``board``; by default the one that udev has named.
        command: of the target ``process``: its command line, with ``{port}`` for its serial line.
        bundle: a new folder for recording, result and logs; None: nothing is kept.
        progress: told the mission time, in ns, from time to time.

    Raises:
        CallerError: no such scenario or target, or the two do not go together.
        ArchiveError: the bundle cannot be made or written.
    """
    chosen = scenario if isinstance(scenario, Scenario) else load_scenario(find_scenario(str(scenario)))
    if seed is not None:
        chosen = with_seed(chosen, seed)
    plan = Plan(
        chosen,
        target,
        mode or default_mode(chosen, target),
        None if bundle is None else Path(bundle),
        replay=f"hil run {chosen.id} --target {target} --seed {chosen.head.seed}",
        speed=speed,
        ports=ports,
        image=find_image(target),
        command=words_of(command) if command else (),
    )
    if bundle is not None:
        check_plan(plan)
        return fly_plan(plan, host_clock, progress)
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        plan = replace(plan, recording=Path(folder) / "recording.sqlite")
        check_plan(plan)
        return fly_plan(plan, host_clock, progress)
