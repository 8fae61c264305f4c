"""How the STM32's firmware starts on silicon, whatever was there before: its machine code in an emulated core, with the
chip's clock tree modelled as the reference manual (RM0368, RM0090) has it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest
from unicorn import UC_ARCH_ARM, UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE, UC_MODE_MCLASS, UC_MODE_THUMB, Uc
from unicorn.arm_const import (
    UC_ARM_REG_CONTROL,
    UC_ARM_REG_MSP,
    UC_ARM_REG_PC,
    UC_ARM_REG_PRIMASK,
    UC_ARM_REG_SP,
    UC_CPU_ARM_CORTEX_M4,
)

from tests.firmware.tools import image_of, symbols

HSI, HSE, PLL = 16_000_000, 8_000_000, 64_000_000
CR, CFGR, APB1RSTR = 0x4002_3800, 0x4002_3808, 0x4002_3820
BRR, USART2_CR2 = 0x4000_4408, 0x4000_4410
TIM2_PSC, TIM2_CR1 = 0x4000_0028, 0x4000_0000
IWDG_KR = 0x4000_3000
VTOR, ICER, ICPR, SYST_CSR = 0xE000_ED08, 0xE000_E180, 0xE000_E280, 0xE000_E010
IDCODE = 0xE004_2000
F401, F405, F411, F446 = 0x1000_6433, 0x1007_6413, 0x1000_6431, 0x1000_6421


@dataclass(frozen=True)
class Before:
    """How the clock tree was left: RCC_CR and RCC_CFGR."""

    cr: int
    cfgr: int


RESET = Before(0x0000_0083, 0)
BEFORE = {
    "a reset": RESET,
    "openocd's reset init: 64 MHz from the PLL, APB1 halved": Before(0x0300_0083, 0x0000_100A),
    "a boot loader on the PLL from HSE": Before(0x0303_0083, 0x0000_940A),
    "a boot loader on HSE, HSI off": Before(0x0003_0080, 0x0000_0005),
}


class Chip:
    """A Cortex-M4 with the firmware in its flash, and RAM wherever a register may be."""

    def __init__(self, before: Before, idcode: int, ready: bool = True) -> None:
        image = image_of("stm32f4")
        self._symbols = symbols(image.path)
        self._ready = ready
        self.written: list[tuple[int, int]] = []
        self.uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M4)
        for at, size in ((0x0800_0000, 0x1_0000), (0x2000_0000, 0x2_0000), (0x4000_0000, 0x10_0000)):
            self.uc.mem_map(at, size)
        self.uc.mem_map(0xE000_0000, 0x10_0000)
        self.uc.mem_write(image.address, image.loaded)
        self.uc.mem_write(0x2000_0000, b"\xa7" * 0x2_0000)  # RAM after power on: anything
        for at, value in (
            (CR, before.cr),
            (CFGR, before.cfgr),
            (IDCODE, idcode),
            (VTOR, 0x1FFF_0000),  # the boot loader's, in system memory
            (SYST_CSR, 7),
            (USART2_CR2, 0x2000),  # two stop bits
            (TIM2_CR1, 0x0080),
        ):
            self[at] = value
        self.uc.reg_write(UC_ARM_REG_SP, 0x2000_7FF0)
        self.uc.hook_add(UC_HOOK_MEM_WRITE, self._write, begin=0x4000_0000, end=0xE00F_FFFF)
        self.uc.hook_add(UC_HOOK_MEM_READ, self._read, begin=0x4000_0000, end=0x4002_FFFF)

    def __getitem__(self, at: int) -> int:
        return int(struct.unpack("<I", self.uc.mem_read(at, 4))[0])

    def __setitem__(self, at: int, value: int) -> None:
        self.uc.mem_write(at, struct.pack("<I", value))

    def _write(self, uc: Uc, access: int, at: int, size: int, value: int, data: object) -> None:
        self.written.append((at, value & 0xFFFF_FFFF))
        if at == APB1RSTR and value & 0x2_0001:
            for place in (BRR, USART2_CR2, TIM2_PSC, TIM2_CR1):
                self[place] = 0

    def _read(self, uc: Uc, access: int, at: int, size: int, value: int, data: object) -> None:
        """The ready bits follow what was switched on; the chip goes on with the clock it was told."""
        if not self._ready:
            return
        if at == CR:
            on = self[CR] & 0x0101_0001
            self[CR] = self[CR] & ~0x0202_0002 | on << 1
        elif at == CFGR:
            self[CFGR] = self[CFGR] & ~0xC | (self[CFGR] & 3) << 2

    def start(self) -> None:
        """From the reset vector to where the firmware's loop begins."""
        end = self._symbols["firmware_run"] & ~1
        self.uc.emu_start(self._symbols["reset"] | 1, end, count=5_000_000)
        assert self.uc.reg_read(UC_ARM_REG_PC) & ~1 == end

    @property
    def apb1(self) -> int:
        """Clock of APB1 in Hz, from the clock tree as it stands."""
        cfgr = self[CFGR]
        core = (HSI, HSE, PLL, 0)[cfgr >> 2 & 3]
        ahb = core >> (0, 1, 2, 3, 4, 6, 7, 8, 9)[max(0, (cfgr >> 4 & 15) - 7)]
        return ahb >> (0, 1, 2, 3, 4)[max(0, (cfgr >> 10 & 7) - 3)]

    @property
    def timer(self) -> int:
        """Clock of TIM2: twice that of APB1 where APB1 is divided."""
        return self.apb1 * (2 if self[CFGR] >> 12 & 1 else 1)


@pytest.mark.parametrize("idcode", [F401, F405, F411, F446])
@pytest.mark.parametrize("before", BEFORE)
def test_baud_rate_and_microseconds_are_right_whatever_was_before(before: str, idcode: int) -> None:
    chip = Chip(BEFORE[before], idcode)
    chip.start()
    assert abs(chip.apb1 / chip[BRR] / 115_200 - 1) < 0.001
    assert chip.timer == 1_000_000 * (chip[TIM2_PSC] + 1)
    assert chip[CR] & 0x0100_0000 == 0  # the unused PLL is off
    assert chip[USART2_CR2] == 0


def test_vectors_interrupts_and_stack_are_its_own() -> None:
    chip = Chip(BEFORE["a boot loader on the PLL from HSE"], F405)
    chip.start()
    assert chip[VTOR] == 0x0800_0000
    assert (SYST_CSR, 0) in chip.written
    for word in range(3):
        for register in (ICER, ICPR):
            assert chip.written.index((register + 4 * word, 0xFFFF_FFFF)) < chip.written.index((VTOR, 0x0800_0000))
    found = symbols(image_of("stm32f4").path)
    assert found["stack_limit"] < chip.uc.reg_read(UC_ARM_REG_MSP) <= found["stack_top"]
    assert chip.uc.reg_read(UC_ARM_REG_CONTROL) == 0
    assert chip.uc.reg_read(UC_ARM_REG_PRIMASK) == 0


def test_only_silicon_has_its_watchdog_started() -> None:
    for idcode, keys in ((F405, [0xCCCC, 0x5555, 0xAAAA]), (0, [])):
        chip = Chip(RESET if idcode else Before(0, 0), idcode)
        chip.start()
        assert [value for at, value in chip.written if at == IWDG_KR] == keys


def test_a_clock_that_never_gets_ready_is_not_waited_for() -> None:
    chip = Chip(Before(0, 0x5), F405, ready=False)
    chip.start()
    assert chip[CFGR] == 0


def test_ram_after_power_on_is_not_a_fault() -> None:
    chip = Chip(RESET, F405)
    chip.start()
    at = symbols(image_of("stm32f4").path)["have_last"]
    assert bytes(chip.uc.mem_read(at, 1)) == b"\0"
