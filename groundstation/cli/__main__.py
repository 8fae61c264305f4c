"""``python -m groundstation.cli``."""

from groundstation.cli import main

main()
