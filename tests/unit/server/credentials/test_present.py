from __future__ import annotations

import base64

import pytest

from sealstead.server.credentials.errors import InvalidCredentialError, PasswordNotSupportedError
from sealstead.server.credentials.present import MAX_HEADER_CHARS, read_credential


def basic(pair: str | bytes) -> str:
    raw = pair.encode() if isinstance(pair, str) else pair
    return "Basic " + base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "header",
    [
        basic("__token__:pypi-abc"),
        basic("__token__:pypi-abc\n"),
        basic("__token__:  pypi-abc \r\n"),
        basic("__token__:pypi-abc").replace("Basic", "bAsIc"),
        "Bearer pypi-abc",
        "bearer  pypi-abc ",
        "token pypi-abc",
        "Token pypi-abc",
    ],
)
def test_every_way_to_carry_a_token(header: str) -> None:
    assert read_credential(header).reveal() == "pypi-abc"


def test_a_password_keeps_its_colons() -> None:
    assert read_credential(basic("__token__:pypi-a:b")).reveal() == "pypi-a:b"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YWJj" + "\u0141",
        "Basic YWJjZ",
        basic("__token__"),
        basic("__token__:"),
        basic("__token__: \n"),
        basic(b"__token__:\xff\xfe"),
        basic(b"\xff:pypi-abc"),
        "Bearer",
        "Bearer ",
        "token  ",
        "Digest username=x",
        "pypi-abc",
        "Bearer " + "a" * MAX_HEADER_CHARS,
    ],
)
def test_anything_else_gets_the_one_answer(header: str | None) -> None:
    with pytest.raises(InvalidCredentialError) as caught:
        read_credential(header)
    assert caught.value.message == "Invalid or non-existent authentication information."
    assert caught.value.code == "invalid-credential"


@pytest.mark.parametrize("pair", ["alice:secret", "@token:pypi-abc", ":pypi-abc", "__TOKEN__:pypi-abc"])
def test_user_names_are_told_what_to_use_instead(pair: str) -> None:
    with pytest.raises(PasswordNotSupportedError) as caught:
        read_credential(basic(pair))
    assert caught.value.message == (
        "Username/Password authentication is no longer supported. "
        "Migrate to API Tokens or Trusted Publishers instead."
    )
    assert "secret" not in repr(caught.value)
