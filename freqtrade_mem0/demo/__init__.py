"""The demo and what stands in for an exchange: generated candles, a loopback exchange, real runs.

Nothing here is needed by a bot. Tests and benchmarks use it too.
"""
