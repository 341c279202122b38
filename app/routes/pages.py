"""GET / and /docs: what a person sees in a browser. No page asks another host for anything."""

import base64
import hashlib
from importlib.resources import files
from string import Template

from fastapi import APIRouter, Response

from app.access import Access
from app.calls import Call
from app.operations import add_route
from app.operations import router as routes_under

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
  <li><a href="/v2"><code>/v2</code></a> is the same by the Open Inference Protocol,
  <li><a href="/docs"><code>/docs</code></a> is the API reference, with examples to try,
  <li><a href="/metrics"><code>/metrics</code></a> is for Prometheus,
  <li><a href="/livez"><code>/livez</code></a> and <a href="/readyz"><code>/readyz</code></a>
      are for orchestrators.
</ul>
"""
# The one style of the index is named by its hash, so that nothing else is a style there.
_STYLE = base64.b64encode(
    hashlib.sha256(_INDEX.partition("<style>")[2].partition("</style>")[0].encode()).digest()
).decode()
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_INDEX_POLICY = f"{_NOTHING}; style-src 'sha256-{_STYLE}'"
# Swagger UI writes styles into its elements, and draws its icons from data: addresses.
_REFERENCE_POLICY = (
    f"{_NOTHING}; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src data:"
)
_HEADERS = {
    "content-security-policy": _NOTHING,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

_DEBUG = """\
  <li><code>POST /gradient</code> gives any derivative, the softmax Jacobian first,
  <li><a href="/gradient/probe?level=network&amp;seed=7"><code>GET /gradient/probe</code></a>
      gives a problem to compute gradients for with your own code,
  <li><code>POST /gradient/trace</code> gives every tensor of a forward and a backward pass,
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
        return _page(page, _INDEX_POLICY)

    async def reference(_call: Call) -> Response:
        return _page(_REFERENCE, _REFERENCE_POLICY)

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


def _page(content: str, policy: str) -> Response:
    headers = _HEADERS | {"content-security-policy": policy}
    return Response(content, media_type="text/html", headers=headers)


def _asset(name: str, media_type: str) -> Response:
    """Read when asked for: few ask, and keeping 2 MB for them would be felt by all."""
    content = files("fastapi_swagger.resources").joinpath(name).read_bytes()
    return Response(content, media_type=media_type, headers=_HEADERS)
