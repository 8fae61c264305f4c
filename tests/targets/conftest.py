"""Every test of a machine runs on each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hil.targets import MACHINES
from tests.targets.bench import Bench


@pytest.fixture(params=sorted(MACHINES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bench(name: str) -> Iterator[Bench]:
    bench = Bench(name)
    yield bench
    bench.machine.close()


@pytest.fixture
def ready(bench: Bench) -> Bench:
    bench.boot()
    return bench
