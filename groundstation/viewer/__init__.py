"""What every viewer of a station uses, with a screen or without: the client, and models of what it received.

A model takes messages and the time, and knows no socket; only `client` does I/O.
"""
