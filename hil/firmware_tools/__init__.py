"""Boards on the bench: flashing, debug probes, identity, the baud search."""
