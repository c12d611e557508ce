"""The values of `mem0.mode`: one module each, named like the value.

A module offers `open_backend(wanted)`, which returns a `MemoryBackend`, and may offer
`prepare(wanted)`, which loads what the first use of the backend would load. It is listed nowhere
else, and imported only if it is the mode in use.
"""
