"""The facts of a memory as plain values, for the command line, a service and a dashboard.

A view takes a `MemoryFolder`, a `Scope` and limits, and returns dictionaries and lists of strings,
numbers, booleans and None. Times are ISO 8601 text.
"""
