"""The recording of a pass: what was received, in the order it came, before anything else looked at it.

One SQLite file per pass. `creation` makes it, `writer` fills it while the station runs, `shortfall` says what it lacks
in the end. `reader` reads it at any time (also while it is being written): `opening` finds its journal, `checks` looks
at what SQLite gives, `older` lets recordings of before be read, `damaged` reads what is left of one that SQLite cannot
read, and counts what is lost. `copy` copies it, `export` makes columns of it. `schema` has the tables, `records` the
types of their rows, `event_bodies` the contents of events, `paths` the default paths. Raw bytes, an index of the frames
in them, and events: nothing here knows a link or a socket.
"""
