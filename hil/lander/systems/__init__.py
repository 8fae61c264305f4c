"""The lander's systems beside its descent instruments: vitals, surface instruments, the chip that fails with time."""
