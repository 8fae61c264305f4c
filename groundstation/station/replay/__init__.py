"""A recording played by a station: its session, what of it is published, and how fast viewers can take it."""
