"""All commands agree on which key is meant: what `key-info` shows is what signs."""

from __future__ import annotations

import base64
import json

import pytest
from tests.keys import key, key_file
from tests.publisher import Done, Publisher

from sealstead.formats.minisign import parse_secret_key

URL = "https://example.org/~ada"


def put(publisher: Publisher, name: str, content: bytes) -> None:
    publisher.keys.mkdir(mode=0o700, exist_ok=True)
    (publisher.keys / name).write_bytes(content)
    (publisher.keys / name).chmod(0o600)


def signer(done: Done) -> str:
    """The id of the key that a full proof names, as minisign prints it."""
    body = json.loads(base64.urlsafe_b64decode(str(done.json["proof"]).partition(": ")[2] + "==="))
    return bytes.fromhex(body["key_id"])[::-1].hex().upper()


@pytest.mark.parametrize(
    ("keys", "named", "number"),
    [
        ({"minisign.key": 1, "minisign.ada.key": 2}, 0, 2),
        ({"minisign.key": 1}, 0, 1),
        ({"minisign.key": 1, "minisign.ada.key": 2, "minisign.work.key": 3}, 3, 3),
        ({"minisign.key": 1, "minisign.ada.key": 2}, 1, 1),
        ({"minisign.ada.key": 2, f"minisign.ada.{key(3).public.id}.bak": 3}, 3, 3),
        ({"minisign.ada.key": 2, "minisign.ada.key.staged": 3}, 3, 3),
    ],
)
def test_all_commands_use_the_same_key(
    publisher: Publisher, keys: dict[str, int], named: int, number: int
) -> None:
    publisher.write_profile(username="ada", public_key=key(named).public.line if named else "")
    for name, each in keys.items():
        put(publisher, name, key_file(each))
    (publisher.here / "file").write_text("x")
    expected = key(number).public.id
    assert publisher.good("key-info", "--json").json["key_id"] == expected
    assert signer(publisher.good("sign", "--url", URL, "--json")) == expected
    assert publisher.good("sign-file", "file", "--json").json[0]["key_id"] == expected
    publisher.good("key-export", "--output", "copy", "--no-password")
    assert parse_secret_key((publisher.here / "copy").read_bytes()).open().public.id == expected


def test_a_key_that_the_profile_does_not_name_makes_no_proof_and_no_silent_signature(
    publisher: Publisher,
) -> None:
    publisher.write_profile(username="ada", public_key=key(9).public.line)
    put(publisher, "minisign.ada.key", key_file(1))
    done = publisher.run("sign", "--url", URL, "--json")
    assert (done.code, done.error) == (3, "no-key")
    (publisher.here / "file").write_text("x")
    done = publisher.good("sign-file", "file")
    assert key(1).public.id in done.err
    assert key(9).public.id in done.err
