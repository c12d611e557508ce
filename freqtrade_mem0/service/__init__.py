"""The HTTP service: routes over `client`, `views`, `agents`, `lifecycle` and `archive`.

`app` makes the application, `server` runs it. A route gets a `ScopedClient` for its caller's key
and nothing that reads around it. No other package imports FastAPI.
"""
