"""Flights of scenarios: plans, the two rigs (lockstep and real time), batches and campaigns."""
