"""Pure policy: a proposed stake, what is known, and limits -> a decision with its reasons.

`policy` is the port, one module per policy, `limits` bounds what a policy wants, `registry` finds a
policy by its name.
"""
