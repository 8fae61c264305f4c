"""Targets that run the firmware in an emulator: QEMU for the STM32F4, simavr for the Uno."""
