"""Independent packages from PyPI as judges of our bytes."""
