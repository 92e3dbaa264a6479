from __future__ import annotations

import base64

import pytest

from sealstead.errors import ParseError
from sealstead.formats.macaroon import MacaroonFormatError, mint, serialize_macaroon
from sealstead.formats.token_text import TokenTextError, parse_token, serialize_token

MACAROON = mint(bytes(32), location=b"pkg.test", identifier=b"id", caveats=[b"\xfb\xff\xfe?>" * 2])
RAW = serialize_macaroon(MACAROON)
TOKEN = serialize_token(MACAROON)


def test_written_url_safe_without_padding() -> None:
    assert "pypi-" + base64.urlsafe_b64encode(RAW).decode().rstrip("=") == TOKEN
    assert "-" in TOKEN[5:] or "_" in TOKEN[5:], (
        "the example must hold a character that the alphabets write apart"
    )


@pytest.mark.parametrize("extra", range(3))
def test_every_length_of_padding_round_trips(extra: int) -> None:
    macaroon = mint(bytes(32), location=b"l" * extra, identifier=b"id")
    text = serialize_token(macaroon)
    assert "=" not in text
    assert serialize_macaroon(parse_token(text)) == serialize_macaroon(macaroon)


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        "pypi-" + base64.urlsafe_b64encode(RAW).decode(),
        "pypi-" + base64.b64encode(RAW).decode(),
        "pypi-" + base64.b64encode(RAW).decode().rstrip("="),
    ],
    ids=["as written", "padded", "standard alphabet padded", "standard alphabet"],
)
def test_both_alphabets_padded_or_not_are_read(text: str) -> None:
    assert serialize_macaroon(parse_token(text)) == RAW


@pytest.mark.parametrize(
    "text",
    {
        "empty": "",
        "prefix only": "pypi-",
        "no dash": "pypi" + TOKEN[5:],
        "other prefix": "devpi-" + TOKEN[5:],
        "no prefix": TOKEN[5:],
        "capital prefix": "PyPI-" + TOKEN[5:],
        "dash first": "-" + TOKEN,
        "trailing newline": TOKEN + "\n",
        "leading blank": " " + TOKEN,
        "inner newline": TOKEN[:40] + "\n" + TOKEN[40:],
        "inner foreign character": TOKEN[:40] + "!" + TOKEN[40:],
        "not ASCII": TOKEN[:40] + "é" + TOKEN[41:],
        "only padding": "pypi-====",
        "too much padding": TOKEN + "=" * 5,
        "padding inside": TOKEN[:41] + "=" + TOKEN[42:],
        "one character too many": "pypi-" + "A" * 5,
        "surplus bits": "pypi-" + "AB",
        "too long": "pypi-" + "A" * 100_000,
    }.items(),
    ids=lambda case: case[0],
)
def test_other_texts_are_refused_and_not_repeated(text: tuple[str, str]) -> None:
    with pytest.raises(TokenTextError) as refusal:
        parse_token(text[1])
    assert refusal.value.code == "token-text"
    assert TOKEN[10:20] not in f"{refusal.value.message}{refusal.value.hint}"


def test_surplus_bits_in_the_last_character_are_refused() -> None:
    """Two texts for one token would let a copy slip past whoever compares texts."""
    macaroon = mint(bytes(32), location=b"l", identifier=b"id")
    text = serialize_token(macaroon)
    assert len(text[5:]) % 4, "the example must have unused bits"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = []
    for last in alphabet:
        try:
            if serialize_macaroon(parse_token(text[:-1] + last)) == serialize_macaroon(macaroon):
                accepted.append(last)
        except ParseError:
            continue
    assert accepted == [text[-1]]


def test_base64_of_something_else_is_no_macaroon() -> None:
    with pytest.raises(MacaroonFormatError):
        parse_token("pypi-AAAA")
