"""Programs around the lander: its servers on ports, its real-time loop, temporary folders."""
