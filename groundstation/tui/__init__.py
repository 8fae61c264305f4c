"""The terminal interface: Textual on top of `groundstation.viewer.model`.

What may live here: drawing, keys, and the way messages reach the screen. What may not: sockets, the archive, the
receiver, the meaning of a byte. Pure functions (`rows`, `contact`, `banner`, `events`, `timeline`, `plot`, `replay`,
`commands`) turn the model into rows of toned spans; `panel` paints such rows; `descent` and `command_screen` lay panels
out; `entry` reads what is typed, `line` takes its keys; `app` owns time, keys and orders.
`app.run_tui` shows a station; `viewer.source` is the contract with the source of the messages, and imports no Textual.
"""
