"""Bodies that are nearly right, by the thousand: none crashes, hangs, or is accepted by mistake."""

import json
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.codecs import documents
from app.main import create_app
from app.settings import Settings
from tests.attacks.inside import Exchange, Inside
from tests.attacks.mutations import GOOD, Json, nearly
from tests.long import LONG, times

SLOW = 10.0  # seconds of work for one body of a few hundred bytes; who waits for ever is ended
REFUSALS = {400, 404, 413, 415, 422, 501}


@pytest.fixture(scope="module")
def inside(model_file: Path) -> Iterator[Inside]:
    inside = Inside(create_app(Settings(models=model_file)))
    yield inside
    inside.close()


def fuzz(path: str, inside: Inside, exchanges: int) -> int:
    """Ask with so many bodies that are nearly right, and hold every answer to what is promised.

    Returns:
        How many of the bodies were different.
    """
    rng, seen = random.Random(None if LONG else path), set()  # noqa: S311  no secret
    for _ in range(exchanges):
        body = nearly(rng, path)
        seen.add(body)
        since = time.process_time()
        answer = inside.ask("POST", path, body, content_type="application/json")
        assert time.process_time() - since < SLOW, body
        assert_promised(path, body, answer)
    return len(seen)


@pytest.mark.parametrize("path", GOOD)
def test_a_body_that_is_nearly_right_is_answered_or_explained(path: str, inside: Inside) -> None:
    """20,000 exchanges in all; what was found once stands in the tables of attacks."""
    exchanges = times(20_000, 1_000_000) // len(GOOD) + 1

    assert fuzz(path, inside, exchanges) > exchanges // times(4, 100)


@pytest.mark.parametrize("bug", ["it crashes", "it takes what is not JSON"])
def test_a_planted_bug_is_found(bug: str, inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    real = documents.read_document

    def wrong(body: bytes, fields: tuple[str, ...]) -> documents.Document:
        if bug == "it crashes" and b"[[]" in body:
            raise RuntimeError("planted")
        return real(body.replace(b"NaN", b"0"), fields)

    monkeypatch.setattr("app.codecs.questions.read_document", wrong)
    with pytest.raises((AssertionError, ValueError)):
        fuzz("/predict", inside, 4_000)


def assert_promised(path: str, body: bytes, answer: Exchange) -> None:
    place = f"{path} {body!r} -> {answer.status} {answer.content[:300]!r}"
    length = int(answer.headers.get("inference-header-content-length", len(answer.content)))
    found = strictly(answer.content[:length])
    theirs = re.match("/v|/invocations", path)
    if answer.status == 200:
        # Nothing is accepted that is no JSON. What other protocols send beside what is read may
        # say something twice; and some of their bodies may be missing.
        strictly(body or b"{}", once=not theirs)
        return
    assert answer.status in REFUSALS, place
    assert len(answer.content) <= 4096, place
    if theirs:
        assert found["error"], place
    else:
        assert found["type"].startswith("/problems/"), place
        assert found["detail"], place


def strictly(text: bytes, *, once: bool = True) -> Json:
    """JSON by RFC 8259, every number finite in float64, and no name twice where it must be once.

    Raises:
        ValueError: it is not.
    """
    members = _once if once else dict
    return json.loads(
        text.decode(), parse_constant=_refuse, object_pairs_hook=members, parse_float=_finite
    )


def _refuse(name: str) -> Any:  # Any: never returns
    raise ValueError(name)


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("twice")
    return dict(pairs)


def _finite(text: str) -> float:
    if abs(float(text)) == float("inf"):
        raise ValueError(text)
    return float(text)


@pytest.mark.parametrize("body", ['{"a": NaN}', '{"a": 1, "a": 1}', "[1e400]", "{'a': 1}", "[1,]"])
def test_the_judge_of_what_was_accepted_is_strict(body: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        strictly(body.encode())
