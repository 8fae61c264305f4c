"""A recording for scripts and notebooks: `open_recording`, and packets as numpy columns.

Lives here: what a person computes with. May not live here: how a recording is stored, or what is drawn.
"""
