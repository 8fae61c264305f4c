"""From a stream of bytes or bits to transfer frames: search, lock, flywheel, checks."""
