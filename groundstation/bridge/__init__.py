"""Passes a link's bytes on over ZeroMQ, as a relay between a board and a remote station."""
