"""Memory over the Model Context Protocol (MCP), for assistants and agents of any language.

`asking` and `writing` hold the tools, `server` offers them by the official SDK (extra `mcp`).
"""
