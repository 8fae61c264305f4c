"""A recording played by a station: its session, and how fast viewers can take it."""
