"""What a flight is judged by: the oracle, predictions, measurements, limits, and the result."""
