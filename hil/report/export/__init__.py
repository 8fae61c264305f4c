"""A report as files for other programs: JSON, and JUnit for CI."""
