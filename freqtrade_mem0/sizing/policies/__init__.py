"""The built-in sizing policies."""
