"""Scenarios: the format, its checks, and in `shipped/` those that come with the package."""
