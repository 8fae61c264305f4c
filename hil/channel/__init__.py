"""The channel between target and station: applies faults to the bytes, and keeps what was sent. Sans-I/O."""
