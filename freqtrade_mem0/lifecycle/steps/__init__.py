"""The steps of a cycle, one module each, see `lifecycle/step.py`. They are found here."""
