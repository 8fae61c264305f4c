"""The channel between target and station: what faults do to the stream, and which frames were sent. Sans-I/O."""
