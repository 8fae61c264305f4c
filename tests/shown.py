"""The parameters of Mars 6 that the tests of viewers look at."""

ALTITUDE = ("DESCENT", "altitude")
VELOCITY = ("DESCENT", "speed")
PLOTTED = (ALTITUDE, VELOCITY)
