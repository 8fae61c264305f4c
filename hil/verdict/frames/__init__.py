"""Frames of a flight, said from the channel's own records: what has to be found, merged and mended, and what was.

May not live here: how a row is judged (`hil.verdict.limits`), and what a loss has to be (`hil.verdict.measure`).
"""
