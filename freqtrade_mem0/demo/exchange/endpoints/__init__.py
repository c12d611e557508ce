"""The answers of the exchange stand-in, one module per group of endpoints.

Each module has a mapping `ENDPOINTS` from the last part of an address to a function of a `Request`.
`api` lists the modules.
"""
