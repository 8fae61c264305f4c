"""What a report draws over mission time: as it was received, and as the oracle expects it."""
