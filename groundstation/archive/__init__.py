"""The recording of a pass: what was received, in the order it came, before anything else looked at it.

One SQLite file per pass. `writer` fills it while the station runs, `reader` opens it at any time (also while it is
being written), `schema` says what stands in it, `records` of what kind it is, `bodies` what events say, `paths` where
it lies. Raw bytes, an index of the frames in them, and events: nothing here decodes, and nothing here knows a link or
a socket.
"""
