"""The rig: the software lander, the targets that fly it, and the runs that judge a descent.

Stands on top of `groundstation` and `protocols`; neither of them may know it.
"""
