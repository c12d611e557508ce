"""Makes single HTML files from templates: no script, no file or font from elsewhere."""

from __future__ import annotations

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from freqtrade_mem0 import __version__
from freqtrade_mem0.compare.report import charts
from freqtrade_mem0.words.visible import visible

_SHARED = "freqtrade_mem0.compare.report"
"""Has the style and the parts that all pages share."""


def page_of(package: str, template: str, **values: Any) -> str:
    """Return a page from a template of a package, which may include what pages share."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(each) for each in dict.fromkeys((package, _SHARED))]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_shown,
    )
    environment.globals |= {"charts": charts, "version": __version__}
    return environment.get_template(template).render(values)


def _shown(value: Any) -> Any:
    """Make the control characters of a text visible; what is HTML already stays."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
