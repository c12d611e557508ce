"""What Mem0's platform and its REST server share: HTTP, once-only writes, ids; see `backend`."""
