"""What the mission of Mars 6 has beside its packets and commands, which `protocols.lander` declares: the checks of its
values, its instruments, the spacecraft that could relay it. Data alone; nothing here reads a packet or a clock."""
