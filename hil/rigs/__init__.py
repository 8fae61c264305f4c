"""The two rigs, lockstep and real time: they apply faults of the link and the target, and let the station watch."""
