"""Session memory: values that end after a time, beside the memory that lasts.

`store` is the port; `in_process`, `sqlite` and `redis` implement it, `opening` opens the configured
one, `session` is what scripts use. No trading callback uses any of them.
"""
