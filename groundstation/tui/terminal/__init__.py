"""The terminal itself: its driver, its keys, and how fast it takes output."""
