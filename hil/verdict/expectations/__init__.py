"""Expectations on telemetry: what came of the parameters that a scenario names, and the rows that judge them."""
