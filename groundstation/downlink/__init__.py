"""From a link's bytes to telemetry, events and contact: the receiver, contact, limits. Sans-I/O.

Each takes bytes and times and returns events; none knows a clock, a port, a thread or a file.
"""
