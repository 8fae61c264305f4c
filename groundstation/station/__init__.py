"""A running station: one process that receives, records, publishes and executes commands.

`station` puts one together: a `server` for its viewers, around a session. `live_session` receives, records and
commands; `replay` plays a recording in its place; `session` is what both are. `process` starts a station in the
background; `registry` says which stations run on this machine. Only `cli` and `hil` import from here.
"""
