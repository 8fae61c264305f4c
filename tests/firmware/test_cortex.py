"""The tests of the core's modules once more, on the machine code of the STM32 in an emulated Cortex-M4.

Of the AVR's code the descent and the commanded run speak, which are the same byte for byte.
"""

from __future__ import annotations

import pytest

from tests.firmware.core import Core
from tests.firmware.cortex import CortexCore
from tests.firmware.test_modules import (  # noqa: F401
    test_atmosphere,
    test_chip,
    test_crc,
    test_division_truncates_as_in_python,
    test_idle_packets,
    test_instruments,
    test_isqrt,
    test_isqrt_at_its_edges,
    test_it_starts_where_the_python_lander_does,
    test_one_step_of_motion,
    test_one_tick_near_the_ground,
    test_sequencer,
    test_surface_instruments,
    test_the_chip_that_fails_with_time,
    test_vitals,
    test_what_is_commanded,
)
from tests.firmware.test_uplink import (  # noqa: F401
    test_checks,
    test_cltus,
    test_cltus_of_few_bytes,
    test_farm,
    test_one_wrong_bit_anywhere,
)
from tests.firmware.tools import need

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> CortexCore:
    need("gcc", "arm-none-eabi-gcc", packages="gcc libc6-dev gcc-arm-none-eabi")
    return CortexCore(Core(tmp_path_factory.mktemp("core")), tmp_path_factory.mktemp("cortex"))
