"""Pure policy: a proposed stake, what is known, and limits -> a decision with its reasons.

`policy` is the port, one module per policy, `wording` has what several of them say, `registry`
finds a policy by its name, `guard` keeps every policy to its word, `limits` bounds what it wants.
"""
