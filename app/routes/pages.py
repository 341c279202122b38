"""GET / and /docs: what a person sees in a browser. No page asks another host for anything."""

from importlib.resources import files
from string import Template

from fastapi import APIRouter, Response

from app.calls import Call
from app.operations import Access, add_route
from app.operations import router as routes_under

_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}

_INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>softlens</title>
<style>
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem;
         margin: 3rem auto; padding: 0 1rem }
  code { background: #8882; padding: .1em .3em; border-radius: .2em }
</style>
<h1>softlens</h1>
<p>A softmax classifier you can see through.</p>
<ul>
  <li><code>POST /predict</code> gives class probabilities,
$debug  <li><a href="/models"><code>GET /models</code></a> tells what is served,
  <li><a href="/docs"><code>/docs</code></a> is the API reference, with examples to try,
  <li><a href="/livez"><code>/livez</code></a> and <a href="/readyz"><code>/readyz</code></a>
      are for orchestrators.
</ul>
"""
_DEBUG = """\
  <li><code>POST /gradient</code> gives any derivative, the softmax Jacobian first,
  <li><a href="/gradient/probe?level=network&amp;seed=7"><code>GET /gradient/probe</code></a>
      gives a problem to compute gradients for with your own code,
  <li><code>POST /gradient/check</code> tells whether yours are right, and if not, which mistake
      was made,
"""
_REFERENCE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>softlens: API reference</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
"""
_START = (
    "SwaggerUIBundle({url: '/openapi.json', dom_id: '#reference', deepLinking: true,"
    " validatorUrl: null});\n"
)


def router(debug: bool) -> APIRouter:
    """The pages and the two files they need, named one by one: no folder is served.

    Args:
        debug: whether there is anything under /gradient to tell of.
    """
    page = Template(_INDEX).substitute(debug=_DEBUG if debug else "")

    async def index(_call: Call) -> Response:
        return Response(page, media_type="text/html", headers=_HEADERS)

    async def reference(_call: Call) -> Response:
        return Response(_REFERENCE, media_type="text/html", headers=_HEADERS)

    async def start(_call: Call) -> Response:
        return Response(_START, media_type="text/javascript", headers=_HEADERS)

    async def script(_call: Call) -> Response:
        return _asset("swagger-ui-bundle.js", "text/javascript")

    async def style(_call: Call) -> Response:
        return _asset("swagger-ui.css", "text/css")

    routes = routes_under("pages", include_in_schema=False)
    for path, handler in {
        "/": index,
        "/docs": reference,
        "/docs/start.js": start,
        "/docs/swagger-ui-bundle.js": script,
        "/docs/swagger-ui.css": style,
    }.items():
        add_route(routes, "GET", path, handler, Access.OPEN)
    return routes


def _asset(name: str, media_type: str) -> Response:
    """Read when asked for: few ask, and keeping 2 MB for them would be felt by all."""
    content = files("fastapi_swagger.resources").joinpath(name).read_bytes()
    return Response(content, media_type=media_type, headers=_HEADERS)
