"""Telecommands on their way to the spacecraft: COP-1, arming, and each command's state. Sans-I/O."""
