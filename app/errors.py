"""Everything the app raises on purpose, and the only place where errors meet HTTP statuses.

AppError
├── RequestError        what was sent cannot be answered; the client must change it
│   └── MediaError      it is of a kind, or packed in a way, that is not read
├── UnknownModelError   no such model or version
├── LoadError           a model on disk cannot be loaded; who put it there must act
├── NotReadyError       nothing can be answered at the moment
├── OverloadedError     there is too much to do at the moment
├── DeadlineError       an answer took too long
├── ShuttingDownError   the server ends before this request could be finished
└── UnroutedError       no route answers this path, or not with this method
"""

import difflib
import random
from http import HTTPStatus
from typing import NamedTuple

from app.talk import shortened


class Cell(NamedTuple):
    """One place in a request that is to blame."""

    pointer: str  # RFC 6901, into the body
    detail: str


def child(pointer: str, key: str) -> str:
    """Pointer to a member (RFC 6901); a key of any length is cut."""
    return f"{pointer}/{key[:100].replace('~', '~0').replace('/', '~1')}"


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


class MediaError(RequestError):
    """It is of a kind, or packed in a way, that is not read.

    Attributes:
        header: of the answer, which tells what would do (RFC 9110, 15.5.16); name and value.
    """

    def __init__(self, detail: str, header: tuple[str, str]) -> None:
        super().__init__("unsupported-media-type", detail)
        self.header = header


class UnknownModelError(AppError):
    """No such model or version."""


class LoadError(AppError):
    """A model on disk cannot be loaded; says which and why, without a path."""


class NotReadyError(AppError):
    """Nothing can be answered at the moment."""


class OverloadedError(AppError):
    """There is too much to do at the moment."""


class ShuttingDownError(AppError):
    """The server ends before this request could be finished."""


class DeadlineError(AppError):
    """An answer took too long."""


class UnroutedError(AppError):
    """No route answers this path, or not with this method.

    Attributes:
        method: that was asked with.
        path: that was asked for.
        methods: that the path answers, sorted; none if there is no such path.
        paths: that there are, with the names of their parameters in braces.
    """

    def __init__(self, method: str, path: str, methods: list[str], paths: list[str]) -> None:
        super().__init__(method, path)
        self.method = method
        self.path = path
        self.methods = methods
        self.paths = paths


class Problem(NamedTuple):
    """What a client gets to see of an error (RFC 9457)."""

    slug: str
    title: str
    status: int
    detail: str
    cells: tuple[Cell, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


STATUSES = {
    "bad-request": HTTPStatus.BAD_REQUEST,
    "bad-host": HTTPStatus.BAD_REQUEST,
    "malformed-json": HTTPStatus.BAD_REQUEST,
    "invalid-encoding": HTTPStatus.BAD_REQUEST,
    "empty-body": HTTPStatus.BAD_REQUEST,
    "duplicate-key": HTTPStatus.BAD_REQUEST,
    "wrong-size": HTTPStatus.BAD_REQUEST,
    "missing-key": HTTPStatus.UNAUTHORIZED,
    "unknown-key": HTTPStatus.UNAUTHORIZED,
    "scope-missing": HTTPStatus.FORBIDDEN,
    "cross-site": HTTPStatus.FORBIDDEN,
    "model-control-off": HTTPStatus.FORBIDDEN,
    "unknown-model": HTTPStatus.NOT_FOUND,
    "not-found": HTTPStatus.NOT_FOUND,
    "method-not-allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "request-timeout": HTTPStatus.REQUEST_TIMEOUT,
    "body-too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "url-too-long": HTTPStatus.REQUEST_URI_TOO_LONG,
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
    "headers-too-large": HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "not-ready": HTTPStatus.SERVICE_UNAVAILABLE,
    "overloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "deadline-exceeded": HTTPStatus.SERVICE_UNAVAILABLE,
    "shutting-down": HTTPStatus.SERVICE_UNAVAILABLE,
    "internal-error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "not-implemented": HTTPStatus.NOT_IMPLEMENTED,
}

_HEADERS = {
    "missing-key": (("WWW-Authenticate", "Bearer"),),
    "unknown-key": (("WWW-Authenticate", "Bearer"),),
}


_SLUGS: dict[type[AppError], str] = {
    UnknownModelError: "unknown-model",
    LoadError: "model-not-loaded",
    NotReadyError: "not-ready",
    OverloadedError: "overloaded",
    DeadlineError: "deadline-exceeded",
    ShuttingDownError: "shutting-down",
}


def describe(error: Exception) -> Problem:
    """Decide what a client gets to see."""
    match error:
        case MediaError():
            return _problem(error.slug, str(error))._replace(headers=(error.header,))
        case RequestError():
            return _problem(error.slug, str(error), error.cells)
        case UnroutedError():
            return _unrouted(error)
        case AppError():
            return _problem(_SLUGS[type(error)], str(error))
        case _:
            # A bug: the log has the traceback, the client learns nothing about our insides.
            return _problem("internal-error", "The server failed in a way it should not have.")


def under_open_inference(found: Problem) -> Problem:
    """The same for clients of the Open Inference Protocol, which know no 422."""
    if found.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return found._replace(status=HTTPStatus.BAD_REQUEST)
    return found


def _unrouted(asked: UnroutedError) -> Problem:
    path, methods = shortened(asked.path, 100), ", ".join(asked.methods)
    if methods:
        detail = f"{path} answers {methods}, not {shortened(asked.method, 20)}"
        return _problem("method-not-allowed", detail)._replace(headers=(("Allow", methods),))
    close = difflib.get_close_matches(asked.path[:100], asked.paths, n=1)
    hint = f"did you mean {close[0]}?" if close else "/docs lists those that there are"
    return _problem("not-found", f"there is no path {path}; {hint}")


def _problem(slug: str, detail: str, cells: tuple[Cell, ...] = ()) -> Problem:
    status = STATUSES[slug]
    headers: tuple[tuple[str, str], ...] = _HEADERS.get(slug, ())
    if slug == "shutting-down":
        headers = (("Connection", "close"), ("Retry-After", "1"))
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        # Seconds; not the same for everyone, or all would come back at once.
        headers = (("Retry-After", str(random.randint(1, 3))),)  # noqa: S311  no secret
    return Problem(slug, _title(slug), status, detail, cells, headers)


def _title(slug: str) -> str:
    """The slug in words: `malformed-json` is "Malformed JSON"."""
    words = slug.replace("non-", "non_").replace("-", " ").replace("_", "-")
    return words.capitalize().replace("json", "JSON").replace("Url", "URL")
