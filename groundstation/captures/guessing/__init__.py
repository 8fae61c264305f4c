"""What kind of file a capture is, from samples of it: hypotheses, each with its evidence. Sans-I/O."""
