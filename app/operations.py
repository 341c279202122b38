"""Routes: how a question to a model, and every other path, is bound to the handler that answers."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from fastapi import APIRouter, Response
from fastapi.routing import APIRoute

from app.access import Access
from app.calls import Call
from app.openapi import PROBLEM, Schema

Handler = Callable[[Call], Awaitable[Response]]


# Who looks after a server wants to know, most of all when it is busy.
_WATCHING = frozenset({Access.HEALTH, Access.OPEN, Access.METRICS})


class Route(APIRoute):
    """One path and method, in the API reference by FastAPI's means and answered by the gate."""

    access = Access.OPEN
    watches = True  # asked even of a server that is too busy for others
    handler: Handler


class Operation(NamedTuple):
    """A question to a model: what it is called, where it is asked, what goes in and out."""

    name: str
    path: str
    summary: str
    request: Schema
    answer: Schema
    access: Access


def router(tag: str, **options: Any) -> APIRouter:  # Any: FastAPI's own
    """An empty list of routes under one heading of the API reference."""
    return APIRouter(tags=[tag], route_class=Route, **options)


def add_operation(routes: APIRouter, operation: Operation, handler: Handler) -> None:
    """Route an operation to its handler: for the default model, a named one, and a version."""
    for name, prefix in {
        operation.name: "",
        f"{operation.name}_of_model": "/models/{name}",
        f"{operation.name}_of_version": "/models/{name}/versions/{version}",
    }.items():
        add_route(
            routes,
            "POST",
            prefix + operation.path,
            handler,
            operation.access,
            summary=operation.summary,
            operation_id=name,
            openapi_extra=_bodies(operation),
        )


def add_route(
    routes: APIRouter,
    method: str,
    path: str,
    handler: Handler,
    access: Access,
    *,
    openapi_extra: Schema | None = None,
    **described: Any,  # Any: FastAPI's own
) -> None:
    """Route one path to its handler.

    Args:
        routes: of `router`.
        method: of HTTP.
        path: names in braces are its parameters; the repository judges them, not FastAPI.
        handler: its first line of description is what the reference says.
        access: who may ask.
        openapi_extra: what the reference says beside that.
        described: further arguments of FastAPI's `add_api_route`.
    """
    routes.add_api_route(
        path,
        _described(handler),
        methods=[method],
        response_class=Response,
        openapi_extra=_parameters(path) | (openapi_extra or {}),
        **described,
    )
    route: Any = routes.routes[-1]  # Any: a Route, as `router` says
    route.access, route.handler = access, handler
    route.watches = access in _WATCHING


def _described(handler: Handler) -> Callable[[], None]:
    """What FastAPI is to know of a handler: its name, and what it says of itself."""

    def endpoint() -> None: ...

    endpoint.__name__, endpoint.__doc__ = handler.__name__, handler.__doc__
    return endpoint


def _bodies(operation: Operation) -> Schema:
    request, answer = operation.request, operation.answer
    problem = {"content": {"application/problem+json": {"schema": PROBLEM}}}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": answer}},
            },
            "4XX": {"description": "What was sent cannot be answered, and why.", **problem},
        },
    }


def _parameters(path: str) -> Schema:
    names = re.findall(r"{(\w+)}", path)
    if not names:
        return {}
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ]
    }
