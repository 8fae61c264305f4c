"""A recording as columns: of numpy, and as CSV, JSON or Parquet."""
