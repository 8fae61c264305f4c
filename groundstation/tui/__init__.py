"""The terminal interface: Textual on top of `groundstation.model`.

What may live here: drawing, keys, and the way messages reach the screen. What may not: sockets, the archive, the
receiver, the meaning of a byte. Pure functions (`rows`, `contact`, `banner`, `events`, `timeline`, `plot`) turn the
model into rows of toned spans; `panel` paints such rows; `descent` lays panels out; `app` owns time and keys.
Whoever shows a station calls `app.run_tui`; `source` is the contract with whoever brings the messages, and imports
no Textual.
"""
