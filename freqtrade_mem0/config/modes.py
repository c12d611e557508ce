"""Which values `mem0.mode` may have: the names of the modules in `backends/modes`."""

from __future__ import annotations

from difflib import get_close_matches

from freqtrade_mem0.config.discovery import names_in

PACKAGE = "freqtrade_mem0.backends.modes"


def refuse_unknown_mode(mode: object) -> None:
    """Raise ValueError for a name that no module in `backends/modes` has."""
    known = names_in(PACKAGE)
    if mode not in known:
        close = get_close_matches(str(mode), known, n=1)
        hint = f'. Did you mean "{close[0]}"?' if close else ""
        raise ValueError(f"must be one of {', '.join(map(repr, known))}{hint}")
