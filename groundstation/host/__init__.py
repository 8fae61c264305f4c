"""This computer: its clocks, folders, signals, terminals and udev rules. Knows nothing of spacecraft."""
