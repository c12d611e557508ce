"""The journal: a local, durable, append-only SQLite file. A record is acknowledged once it is here.

`schema` has the file's format and its migrations, `connection` opens it, `append` writes to it,
`paging` reads rows of a `scope`, and `journal` is what other rooms use. `outbox` is the queue to
Mem0, `marks` the progress of shared work, and `writer` appends behind trading callbacks. `salvage`
makes a new file of what is `readable` in a damaged one. `chain` makes
every change behind our back visible.
"""
