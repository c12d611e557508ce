"""The built-in sizing policies, one module each; the module's name is the policy's.

A module has a function `from_settings`, which is called with the `"sizing"` settings and returns
the policy, and, where the policy has keys of its own, their block as a class `Settings`.
"""
