"""The two rigs, lockstep and real time, and what they share: faults that act, deadlines, the station's viewer."""
