"""The name of a program and its address, as signatures carry them."""

from __future__ import annotations

import hashlib

import pytest
from tests.signers import chain, detached, leaf, signature

from sealstead.formats import der
from sealstead.formats.authenticode import to_be_signed
from sealstead.formats.cms import (
    SignedData,
    attribute,
    build_signed_data,
    parse_signed_data,
    signed_attributes,
)
from sealstead.formats.opus_info import SPC_OPUS_INFO, SignatureTextError, opus_info, read_opus

DIGEST = hashlib.sha256(b"file").digest()


def test_name_and_address_of_the_program() -> None:
    made = opus_info("Ä", "https://x.test/?a=1")
    assert "Ä".encode("utf-16-be") in made
    assert b"https://x.test/?a=1" in made
    assert opus_info(None, None) == opus_info("", "")


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\0", "\x7f", "\x85", "abc\u202egpj.exe", "\ufeffx", "\u200b", "😀", "x" * 513, "\ud800"],
)
def test_a_description_shows_what_it_is(text: str) -> None:
    with pytest.raises(SignatureTextError) as caught:
        to_be_signed("pe", "SHA256", DIGEST, text)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https://x test",
        "https://x\n",
        "HTTPS://ä.test",
        " https://x.test",
        "https://x.test/" + "a" * 2048,
    ],
)
def test_an_address_is_one_of_the_web(url: str) -> None:
    with pytest.raises(SignatureTextError):
        to_be_signed("pe", "SHA256", DIGEST, None, url)


def of(opus: bytes) -> SignedData:
    attributes = signed_attributes("1.2.3", DIGEST, (attribute(SPC_OPUS_INFO, opus),))
    return parse_signed_data(
        build_signed_data(
            content=None,
            content_type_oid="1.2.3",
            digest_alg="SHA256",
            signed_attrs=attributes,
            signature=b"x",
            signer=chain(leaf()),
            key_kind="ec",
        )
    )


def test_what_was_written_is_read() -> None:
    made = parse_signed_data(signature(DIGEST, description="Ä tool", url="https://x.test"))
    assert read_opus(made) == ("Ä tool", "https://x.test")
    assert read_opus(parse_signed_data(signature(DIGEST))) == (None, None)
    assert read_opus(parse_signed_data(detached(DIGEST))) == (None, None)


def test_other_forms_of_others_are_read() -> None:
    in_ascii = der.seq(der.tag(0, der.tag(1, b"Tool", constructed=False)), der.tag(2, der.null()))
    assert read_opus(of(in_ascii)) == ("Tool", None)
    with pytest.raises(der.MalformedDerError):
        read_opus(of(der.seq(der.tag(0, der.tag(0, bytes(1 << 20), constructed=False)))))
