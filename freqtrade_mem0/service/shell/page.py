"""What a module of `service/pages` says about its page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page in the navigation; a module has it as `PAGE`, beside its `router`.

    Parameters
    ----------
    path
        Its address, as in "/trades".
    title
        Its name in the navigation.
    order
        Lower ones stand further left.
    about
        The question that it answers, in one sentence.
    """

    path: str
    title: str
    order: int
    about: str
