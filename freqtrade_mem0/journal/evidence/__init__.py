"""Evidence: what stakes are computed from, in a small table of its own.

Each record has a row of evidence, written in the same transaction. Recall, priors and the risk
detectors read nothing else, so that a record's JSON can be compressed, moved or deleted and no
stake changes. See `docs/concepts/life-cycle.md`.
"""
