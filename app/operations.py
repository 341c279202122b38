"""Operations on a model: one question, routed for the default model, a named one and a version."""

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from app.openapi import PROBLEM, Schema

Handler = Callable[[Request], Awaitable[Response]]


class Operation(NamedTuple):
    """A question to a model: what it is called, where it is asked, what goes in and out."""

    name: str
    path: str
    summary: str
    request: Schema
    answer: Schema


def add_operation(routes: APIRouter, operation: Operation, handler: Handler) -> None:
    """Route an operation to its handler: for the default model, a named one, and a version."""
    for name, prefix in {
        operation.name: "",
        f"{operation.name}_of_model": "/models/{name}",
        f"{operation.name}_of_version": "/models/{name}/versions/{version}",
    }.items():
        path = prefix + operation.path
        routes.add_api_route(
            path,
            handler,
            methods=["POST"],
            summary=operation.summary,
            response_class=Response,
            operation_id=name,
            openapi_extra=parameters(path) | _bodies(operation),
        )


def add_route(routes: APIRouter, method: str, path: str, handler: Handler) -> None:
    """Route one path of somebody else's protocol to its handler."""
    routes.add_api_route(
        path,
        handler,
        methods=[method],
        response_class=Response,
        openapi_extra=parameters(path),
    )


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


def parameters(path: str) -> Schema:
    """`openapi_extra` of the names in a path; the repository judges them, not FastAPI."""
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", path)
        ]
    }
