"""The statistics of a comparison, on daily returns."""
