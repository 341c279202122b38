"""Everything the app raises on purpose, and the only place where errors meet HTTP statuses.

AppError
├── RequestError        what was sent cannot be answered; the client must change it
├── UnknownModelError   no such model or version
├── LoadError           a model on disk cannot be loaded; who put it there must act
├── NotReadyError       nothing can be answered at the moment
└── ShuttingDownError   the server ends before this request could be finished
"""

import difflib
from http import HTTPStatus
from typing import NamedTuple

from starlette.exceptions import HTTPException

from app.talk import shortened


class Cell(NamedTuple):
    """One place in a request that is to blame."""

    pointer: str  # RFC 6901, into the body
    detail: str


class AppError(Exception):
    """Base of all of them."""


class RequestError(AppError):
    """What was sent cannot be answered.

    Attributes:
        slug: names the problem, one of STATUSES.
        cells: where; empty when the whole request is to blame.
    """

    def __init__(self, slug: str, detail: str, *cells: Cell) -> None:
        super().__init__(detail)
        self.slug = slug
        self.cells = cells


class UnknownModelError(AppError):
    """No such model or version."""


class LoadError(AppError):
    """A model on disk cannot be loaded; says which and why, without a path."""


class NotReadyError(AppError):
    """Nothing can be answered at the moment."""


class ShuttingDownError(AppError):
    """The server ends before this request could be finished."""


class Asked(NamedTuple):
    """What a request asked for, and what there is of that kind."""

    method: str
    path: str
    methods: list[str]  # that the path answers, sorted; none if there is no such path
    paths: list[str]  # that there are, with the names of their parameters in braces


class Problem(NamedTuple):
    """What a client gets to see of an error (RFC 9457)."""

    slug: str
    title: str
    status: int
    detail: str
    cells: tuple[Cell, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


STATUSES = {
    "malformed-json": HTTPStatus.BAD_REQUEST,
    "invalid-encoding": HTTPStatus.BAD_REQUEST,
    "empty-body": HTTPStatus.BAD_REQUEST,
    "duplicate-key": HTTPStatus.BAD_REQUEST,
    "wrong-size": HTTPStatus.BAD_REQUEST,
    "model-control-off": HTTPStatus.FORBIDDEN,
    "unknown-model": HTTPStatus.NOT_FOUND,
    "body-too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported-media-type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "batch-too-large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "empty-batch": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid-value": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid-type": HTTPStatus.UNPROCESSABLE_ENTITY,
    "missing-field": HTTPStatus.UNPROCESSABLE_ENTITY,
    "no-derivative": HTTPStatus.UNPROCESSABLE_ENTITY,
    "no-feature-names": HTTPStatus.UNPROCESSABLE_ENTITY,
    "non-finite-input": HTTPStatus.UNPROCESSABLE_ENTITY,
    "non-finite-result": HTTPStatus.UNPROCESSABLE_ENTITY,
    "number-out-of-range": HTTPStatus.UNPROCESSABLE_ENTITY,
    "ragged-rows": HTTPStatus.UNPROCESSABLE_ENTITY,
    "result-too-large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown-field": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown-label": HTTPStatus.UNPROCESSABLE_ENTITY,
    "wrong-shape": HTTPStatus.UNPROCESSABLE_ENTITY,
    "wrong-rank": HTTPStatus.UNPROCESSABLE_ENTITY,
    "wrong-width": HTTPStatus.UNPROCESSABLE_ENTITY,
    "model-not-loaded": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not-ready": HTTPStatus.SERVICE_UNAVAILABLE,
    "shutting-down": HTTPStatus.SERVICE_UNAVAILABLE,
    "internal-error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "not-implemented": HTTPStatus.NOT_IMPLEMENTED,
}


_SLUGS: dict[type[AppError], str] = {
    UnknownModelError: "unknown-model",
    LoadError: "model-not-loaded",
    NotReadyError: "not-ready",
    ShuttingDownError: "shutting-down",
}

_HEADERS = {
    # uvicorn ends a connection whose request raised; the client is told.
    "internal-error": (("Connection", "close"),),
    "shutting-down": (("Connection", "close"), ("Retry-After", "1")),
}


def describe(error: Exception, asked: Asked) -> Problem:
    """Decide what a client gets to see."""
    match error:
        case RequestError():
            return _problem(error.slug, str(error), error.cells)
        case AppError():
            return _problem(_SLUGS[type(error)], str(error))
        case HTTPException():
            status = HTTPStatus(error.status_code)
            slug = status.phrase.lower().replace(" ", "-")
            return Problem(slug, _title(slug), status, *_unrouted(asked))
        case _:
            # A bug: the log has the traceback, the client learns nothing about our insides.
            return _problem("internal-error", "The server failed in a way it should not have.")


def under_open_inference(found: Problem) -> Problem:
    """The same for clients of the Open Inference Protocol, which know no 422."""
    if found.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return found._replace(status=HTTPStatus.BAD_REQUEST)
    return found


def _unrouted(asked: Asked) -> tuple[str, tuple[Cell, ...], tuple[tuple[str, str], ...]]:
    """What to tell, without cells but with headers, where no route fits."""
    path, methods = shortened(asked.path, 100), ", ".join(asked.methods)
    if methods:
        detail = f"{path} answers {methods}, not {shortened(asked.method, 20)}"
        return detail, (), (("Allow", methods),)
    close = difflib.get_close_matches(asked.path[:100], asked.paths, n=1)
    hint = f"did you mean {close[0]}?" if close else "/docs lists those that there are"
    return f"there is no path {path}; {hint}", (), ()


def _problem(slug: str, detail: str, cells: tuple[Cell, ...] = ()) -> Problem:
    return Problem(slug, _title(slug), STATUSES[slug], detail, cells, _HEADERS.get(slug, ()))


def _title(slug: str) -> str:
    """The slug in words: `malformed-json` is "Malformed JSON"."""
    words = slug.replace("non-", "non_").replace("-", " ").replace("_", "-")
    return words.capitalize().replace("json", "JSON")
