"""A server that wants keys, and one key for each combination that the tests need."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from app.security.keys import make_key
from tests.serving import Server, serving

SCOPES = {
    "predict": ("predict",),
    "debug": ("debug",),
    "both": ("predict", "debug"),
    "admin": ("admin",),
    "metrics": ("metrics",),
    "all": ("predict", "debug", "admin", "metrics"),
}
MADE = {name: make_key(name, scopes) for name, scopes in SCOPES.items()}
KEYS = {name: key for name, (key, _) in MADE.items()}
LINES = "\n".join(line for _, line in MADE.values())


def bearing(name: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"authorization": f"Bearer {KEYS[name]}"}


@contextmanager
def keyed(
    models: Path, folder: Path, program: str = "", **settings: object
) -> Generator[Server, None, None]:
    """Serve `models` to who has one of KEYS, which lie in a file in `folder`."""
    file = folder / "keys"
    file.write_text(LINES)
    with serving(models, program, keys_file=file, **settings) as server:
        yield server


def slug(answer: httpx.Response) -> str:
    """What is wrong, under every protocol."""
    return str(answer.json()["type"]).removeprefix("/problems/")
