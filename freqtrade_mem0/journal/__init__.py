"""The journal: a local, durable, append-only SQLite file. A record is acknowledged once it is here.

`schema` has the file's format and its migrations, `connection` opens it, `journal` reads and
appends, `outbox` is the queue towards Mem0, `writer` keeps callbacks from ever waiting for a disk.
"""
