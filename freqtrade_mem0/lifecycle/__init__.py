"""Keeps a memory in order: tiers, retention, redundancy, patterns, and forgetting.

One cycle runs every step in `lifecycle/steps/`. No step changes a stake: it works on bodies,
copies and memories, never on what stakes are computed from.
"""
