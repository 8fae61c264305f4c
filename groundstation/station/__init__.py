"""A running station: one process that receives, records, publishes and obeys commands.

`station` joins the parts; `process` starts one in the background; `registry` says which stations run on this machine;
`publisher`, `command_server` and `snapshot` serve viewers; `replay` plays a recording in place of a link. Only `cli`
imports from here.
"""
