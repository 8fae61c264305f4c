"""From transfer frames to packets and values, live one by one, and in bulk by numpy."""
