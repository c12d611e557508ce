"""Records: frozen facts, each with the market time it became known and the wall time it was noted.

`base` has what all records share, the other modules one kind of record each; `codec` turns records
into JSON and back, `memory` and `mapping` into what Mem0 stores and back.
"""
