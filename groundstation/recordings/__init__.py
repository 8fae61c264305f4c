"""The recording of a pass: what was received, in the order it came, before anything else looked at it.

One SQLite file per pass. `creation` makes it, `writer` fills it while the station runs, `shortfall` says what it lacks
in the end. `reader` reads it at any time (also while it is being written): `opening` finds its journal, `checks` looks
at what SQLite gives, `damaged` reads what is left of one that SQLite cannot read, `damage` says what is not. `copying`
copies it. `schema` says what stands in it, `records` of what kind it is, `bodies` what events say, `paths` where it
lies. Raw bytes, an index of the frames in them, and events: nothing here decodes, and nothing here knows a link or a
socket.
"""
