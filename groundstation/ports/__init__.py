"""Serial ports: their addresses, the devices behind them, permissions, locks, and the search for a lander."""
