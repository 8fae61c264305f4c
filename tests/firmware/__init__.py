"""The C lander on the host: each module against its Python twin, the whole machine against the whole machine."""
