"""From method and path to the route that answers, looked up once for each."""

from collections.abc import Iterable
from typing import NamedTuple

from starlette.routing import BaseRoute

from app.errors import UnroutedError
from app.operations import Route

_MOST_KNOWN = 1024
_LONGEST_KNOWN = 200  # bytes of a path; so that what is kept stays small


class Found(NamedTuple):
    """A route, and the parameters that its path gives it."""

    route: Route
    parameters: dict[str, str]


class Routes:
    """All routes. Where several fit, the first answers."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._routes = [route for route in routes if isinstance(route, Route)]
        # The expressions of fifty paths cost more than all the rest of finding one.
        self._known: dict[tuple[str, str], Found] = {}

    def find(self, method: str, path: str) -> Found:
        """The route for a request.

        Raises:
            UnroutedError: there is none, or none with this method.
        """
        known = self._known.get((method, path))
        return self._search(method, path) if known is None else known

    def _search(self, method: str, path: str) -> Found:
        methods: set[str] = set()
        for route in self._routes:
            match = route.path_regex.fullmatch(path)  # `$` alone lets a line feed follow
            if match is None:
                continue
            answered = methods_of(route)
            if method in answered:
                return self._keep(method, path, Found(route, match.groupdict()))
            methods |= answered
        raise UnroutedError(method, path, sorted(methods), [route.path for route in self._routes])

    def _keep(self, method: str, path: str, found: Found) -> Found:
        if len(path) <= _LONGEST_KNOWN:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[method, path] = found
        return found


def methods_of(route: Route) -> set[str]:
    """What a route answers: who answers GET answers HEAD, and the server leaves out the body."""
    methods = route.methods or set()
    return methods | {"HEAD"} if "GET" in methods else methods
