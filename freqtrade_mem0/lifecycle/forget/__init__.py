"""Forgets a user, strategy, run or bot everywhere, and says in a receipt what was found.

`places` is the registry of everything that holds data; a test fails where a table or file is not
in it. `rows` deletes in the journal, `memories` in Mem0, `files` in the folder, and `forgetting` is
the whole, which can be killed at any point and run again.
"""
