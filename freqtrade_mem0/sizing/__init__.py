"""Sizing: what is known about an entry -> a stake multiplier with its reasons. No I/O.

`policy` defines what a policy is, `policies` has one module for each, `registry` makes the
configured one. `guard` keeps a policy inside its bounds, `limits` applies those of exchange and
wallet, `wording` has the reasons that several policies give.
"""
