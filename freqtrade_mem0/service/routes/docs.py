"""The description of the routes: as OpenAPI, and as a page without scripts or files of others."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment

from freqtrade_mem0.service.caller import Known

router = APIRouter(include_in_schema=False)

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ info.title }} {{ info.version }}</title>
<h1>{{ info.title }} {{ info.version }}</h1>
<p>{{ info.description }}</p>
<p><a href="/openapi.json">openapi.json</a> has everything that stands here, for programs.</p>
{% for path, methods in paths.items() %}{% for method, route in methods.items() %}
<h2>{{ method.upper() }} {{ path }}</h2>
<p>{{ route.description }} Key: {{ route["x-key"] }}.</p>
{% if route.parameters %}<ul>
{% for each in route.parameters %}
<li><code>{{ each.name }}</code> ({{ each.in }}{{ ", needed" if each.required }})
 {{ each.description }}</li>
{% endfor %}
</ul>{% endif %}
{% if examples.get((path, method)) %}<pre>{{ examples[path, method] }}</pre>{% endif %}
{% endfor %}{% endfor %}
</html>
"""


@router.get("/")
def start(who: Known) -> RedirectResponse:
    """Send a person on to the dashboard."""
    del who
    return RedirectResponse("/dashboard", 303)


@router.get("/openapi.json")
def openapi(request: Request, who: Known) -> JSONResponse:
    """Return the description of all routes."""
    del who
    return JSONResponse(request.app.openapi())


@router.get("/docs", response_class=HTMLResponse)
def docs(request: Request, who: Known) -> HTMLResponse:
    """Return the description of all routes for people."""
    del who
    schema = request.app.openapi()
    examples = {
        (path, method): json.dumps(example, indent=2)
        for path, methods in schema["paths"].items()
        for method, route in methods.items()
        if (example := example_of(schema, route)) is not None
    }
    template = Environment(autoescape=True).from_string(_PAGE)
    return HTMLResponse(template.render(schema, examples=examples))


def example_of(schema: dict[str, Any], route: dict[str, Any]) -> Any:
    """Return an example of a route's body, or None where it has none."""
    body = route.get("requestBody")
    return None if body is None else _example(schema, body["content"]["application/json"]["schema"])


def _example(schema: dict[str, Any], part: dict[str, Any]) -> Any:
    for choice in part.get("anyOf", ()):
        if "$ref" in choice:
            return _example(schema, choice)
    if "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    if part.get("examples"):
        return part["examples"][0]
    named = {name: _example(schema, each) for name, each in part.get("properties", {}).items()}
    return {name: value for name, value in named.items() if value is not None} or None
