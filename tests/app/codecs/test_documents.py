"""Documents that are large in ways no answer needs."""

import difflib
import json

import pytest

from app.codecs.documents import members, parse, read_document
from app.codecs.nested import nested_array
from app.codecs.records import rows_of_records
from app.codecs.rows import Limits
from app.errors import RequestError


@pytest.mark.parametrize("count", [1000, 1001])
def test_an_object_of_any_names_has_at_most_a_thousand(count: int) -> None:
    """Each is looked up from the first one on: a body full of them would take minutes."""
    value = parse(json.dumps({str(i): i for i in range(count)}).encode())

    if count == 1000:
        assert len(members(value, "/parameters")) == count
    else:
        with pytest.raises(RequestError, match="at most 1000 members at /parameters") as caught:
            members(value, "/parameters")
        assert caught.value.slug == "batch-too-large"


def test_a_misspelt_feature_of_ten_thousand_is_pointed_at_among_its_neighbours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To compare it with all of them took a quarter of a second."""
    features = [f"pixel{i:05}" for i in range(10_000)]
    record = dict.fromkeys(features, 0.5) | {"pixel04999x": 1}
    compared = []
    close = difflib.get_close_matches

    def note(word: str, among: list[str], n: int) -> list[str]:
        compared.append(len(among))
        return list(close(word, among, n))

    monkeypatch.setattr(difflib, "get_close_matches", note)
    document = read_document(json.dumps({"records": [record]}).encode(), ("records",))

    with pytest.raises(RequestError, match="did you mean 'pixel04999'"):
        rows_of_records(document, features, Limits())
    assert compared == [200]


def test_why_a_large_body_is_no_json_is_not_looked_for() -> None:
    flawed = b'{"inputs": [' + b'"",' * 10**6 + b"}"
    long = b'{"inputs": ["' + b"x" * 3 * 10**6 + b'", 123456789012345678901234]}'

    with pytest.raises(RequestError) as caught:
        read_document(flawed, ("inputs",))
    assert (caught.value.slug, str(caught.value)) == ("malformed-json", "not JSON")
    assert len(read_document(long, ("inputs",))["inputs"]) == 2


def test_an_array_of_too_many_arrays_is_refused_before_it_is_read() -> None:
    value = parse(b"[" + b"[1]," * 250_000 + b"[1]]")

    with pytest.raises(RequestError, match="at most 250000 arrays of numbers at /vector"):
        nested_array(value, "/vector")
