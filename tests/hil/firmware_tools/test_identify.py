"""What a target says of itself, beside the image that it should run."""

from __future__ import annotations

from hil.firmware_tools.identify import compare
from hil.lander.bus import FaultTrace, ResetReason
from hil.targets.greeting import Greeting
from protocols.ccsds.clcw import Clcw
from protocols.lander import MARS6
from tests.firmware.tools import image_of


def told(build: int, fault: FaultTrace | None = None) -> Greeting:
    return Greeting(ResetReason.WATCHDOG, build, MARS6.hash, Clcw(), fault)


def test_a_new_target_is_compared_with_nothing() -> None:
    identity = compare(told(7), "toy", None)
    assert not identity.equal
    assert (
        identity.lines()[0] == "build         00000007  no image here has this build: `hil firmware build`, or --image"
    )


def test_a_board_is_recognised_by_its_build() -> None:
    image = image_of("uno")
    identity = compare(told(image.id), None, None)
    assert identity.equal
    assert identity.lines()[0].endswith(f"as {image.id_text} in {image.path} ({image.kind})")
    assert identity.lines()[2] == "reset reason  watchdog"


def test_a_fault_is_shown_behind_the_reset_reason() -> None:
    identity = compare(told(7, FaultTrace(0x0800_0A50, 0x0800_14A7, 0x0001_0000, 356)), None, None)
    assert identity.lines()[3] == "last fault    PC 08000a50, LR 080014a7, CFSR 00010000, 356 bytes of stack used"
    assert identity.fields()["fault"] == {"pc": 0x0800_0A50, "lr": 0x0800_14A7, "cfsr": 0x1_0000, "stack": 356}
