"""Independent packages from PyPI decode our bytes."""
