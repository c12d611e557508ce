"""The journal: a local, durable, append-only SQLite file. A record is acknowledged once it is here.

`schema` has the file's format and its migrations, `connection` opens it, `append` writes to it,
`journal` is what all others use; `outbox` is the queue towards Mem0, `marks` how far shared work
is, and `writer` keeps callbacks from ever waiting for a disk. `salvage` reads a damaged file by its
`pages`.
"""
