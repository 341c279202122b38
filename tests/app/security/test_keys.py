"""Lists of keys: what is read from them, and what is refused without repeating it."""

import hashlib

import pytest

from app.access import EVERYTHING
from app.commands.key import ScopeName
from app.security.keys import Key, KeysError, make_key, read_keys

KEY = "a-key-of-20-letters.and-more"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        f"alice:predict+debug:sha256:{DIGEST}",
        f"alice:predict+debug:{KEY}",
        f"\n  alice:debug+predict:{KEY}  ,\n\n# a comment, and: another\n",
        f"alice:predict+debug+predict:{KEY}\r\n",
    ],
)
def test_a_key_is_kept_as_its_digest_however_it_is_written(text: str) -> None:
    (key,) = read_keys(text, "SOFTLENS_KEYS")

    assert key == Key("alice", frozenset({"predict", "debug"}), bytes.fromhex(DIGEST))


def test_a_plain_key_may_look_like_a_digest() -> None:
    (key,) = read_keys(f"alice:predict:{DIGEST}", "SOFTLENS_KEYS")

    assert key.digest == hashlib.sha256(DIGEST.encode()).digest()


def test_commas_and_lines_part_keys() -> None:
    text = f"a:predict:{KEY}1, b:debug:{KEY}2\nc:admin:{KEY}3"

    assert [key.name for key in read_keys(text, "SOFTLENS_KEYS")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected at least one key, found none"),
        ("# nothing\n\n", "expected at least one key, found none"),
        (KEY, "line 1: expected NAME:SCOPE+SCOPE:sha256:DIGEST"),
        (f"# one\n:predict:{KEY}", "line 2: expected NAME:SCOPE+SCOPE:sha256:DIGEST"),
        (f"al ice:predict:{KEY}", "line 1: expected NAME:SCOPE+SCOPE:sha256:DIGEST"),
        (f"alice:{KEY}", "line 1: expected NAME:SCOPE+SCOPE:sha256:DIGEST"),
        (f"alice::{KEY}", "line 1: expected scopes of predict, debug, admin, metrics"),
        (f"alice:root:{KEY}", "line 1: expected scopes of predict, debug, admin, metrics"),
        (f"alice:open:{KEY}", "line 1: expected scopes of predict, debug, admin, metrics"),
        (f"alice:predict debug:{KEY}", "line 1: expected scopes of"),
        ("alice:predict:short", "line 1: expected sha256: and 64 hexadecimal digits, or a key of"),
        (f"alice:predict:sha256:{DIGEST[1:]}", "line 1: expected sha256: and 64 hexadecimal"),
        (f"alice:predict:sha256:{DIGEST.upper()}", "line 1: expected sha256: and 64 hexadecimal"),
        (f"alice:predict:{KEY} {KEY}", "line 1: expected sha256: and 64 hexadecimal"),
        (f"a:predict:{KEY}\na:debug:{KEY}x", "line 2: expected each name once"),
        (f"a:predict:{KEY}\nb:debug:{KEY}", "line 2: expected each key once"),
    ],
)
def test_a_list_of_no_use_is_explained_and_not_repeated(text: str, expected: str) -> None:
    with pytest.raises(KeysError) as caught:
        read_keys(text, "SOFTLENS_KEYS")

    assert f"SOFTLENS_KEYS{':' if 'none' in expected else ','} {expected}" in str(caught.value)
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_made_key_is_known_by_its_line_which_does_not_hold_it() -> None:
    key, line = make_key("dashboard", ["predict", "metrics"])

    (known,) = read_keys(line, "SOFTLENS_KEYS")
    assert known.scopes == {"predict", "metrics"}
    assert known.digest == hashlib.sha256(key.encode()).digest()
    assert key not in line


def test_no_two_made_keys_are_equal() -> None:
    assert len({make_key("a", ["predict"])[0] for _ in range(100)}) == 100


def test_the_command_knows_every_scope() -> None:
    assert {scope.value for scope in ScopeName} == EVERYTHING
