"""Records: frozen facts, each with the market time it became known and the wall time it was noted.

`base` has what all records share, `kinds` one module for each kind; `codec` turns records into JSON
and back, `mapping` turns them into what Mem0 stores and back.
"""
