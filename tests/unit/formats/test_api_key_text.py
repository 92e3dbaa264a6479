"""The text of an API key, to the character: scanners, clients in other languages and old files depend on it."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter

import pytest

from sealstead.errors import ParseError
from sealstead.formats.api_key_text import (
    ApiKeyChecksumError,
    ApiKeyShapeError,
    checksum_of,
    is_api_key_id,
    make_api_key,
    parse_api_key,
)

BODY = "seal_0123456789AB_" + "z" * 43
KEY = BODY + "_1Kelzh"


def test_the_written_form_is_fixed() -> None:
    # CRC-32 of the body is 0x48ccbc8d, as zlib counts it.
    key = parse_api_key(KEY)
    assert (key.id, key.secret.reveal()) == ("0123456789AB", "z" * 43)
    assert key.secret_sha256 == hashlib.sha256(b"z" * 43).hexdigest()


def test_what_is_made_reads_back() -> None:
    made = make_api_key(os.urandom)
    assert re.fullmatch(r"seal_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", made.text.reveal())
    read = parse_api_key(made.text.reveal())
    assert (read.id, read.secret.reveal()) == (made.id, made.secret.reveal())


def test_all_random_bytes_count_and_no_digit_is_favoured() -> None:
    assert make_api_key(bytes).secret.reveal() == "0" * 43
    assert make_api_key(bytes).id != make_api_key(lambda count: bytes(count - 1) + b"\x01").id
    digits = Counter("".join(make_api_key(os.urandom).secret.reveal()[0] for _ in range(2000)))
    assert len(digits) == 62
    assert max(digits.values()) < 80  # 32 expected


@pytest.mark.parametrize("at", [5, 16, 18, 60, 62, 67])
def test_one_changed_character_is_noticed(at: int) -> None:
    changed = KEY[:at] + ("a" if KEY[at] != "a" else "b") + KEY[at + 1 :]
    with pytest.raises(ApiKeyChecksumError) as caught:
        parse_api_key(changed)
    assert changed not in str(caught.value)


@pytest.mark.parametrize(
    "damaged", [KEY[:-1], KEY + "A", KEY + "\n", KEY[:30], "seal_", BODY, KEY.replace("z", "é", 1)]
)
def test_cut_off_or_prolonged_keys_are_damaged_not_foreign(damaged: str) -> None:
    with pytest.raises(ApiKeyChecksumError):
        parse_api_key(damaged)


@pytest.mark.parametrize("foreign", ["", "your-api-key-here", "pypi-AgEI", KEY.upper(), " " + KEY, "\0"])
def test_other_texts_are_foreign(foreign: str) -> None:
    with pytest.raises(ApiKeyShapeError) as caught:
        parse_api_key(foreign)
    assert isinstance(caught.value, ParseError)
    assert not foreign or foreign not in str(caught.value)


def test_the_secret_is_not_shown() -> None:
    assert "z" * 43 not in repr(parse_api_key(KEY))


def test_ids() -> None:
    assert is_api_key_id("0123456789AB")
    assert not is_api_key_id("0123456789A")
    assert not is_api_key_id("0123456789A\n")
    assert not is_api_key_id("0123456789Aé")
    assert checksum_of(BODY) == KEY[-6:]
