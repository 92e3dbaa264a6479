"""Requests to sign: each is read in one way, or refused with the place of what is wrong."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.signing import b64, item

from sealstead.formats.opus_info import SignatureTextError
from sealstead.server.signing.errors import InvalidItemError, InvalidSelectorError, InvalidSignRequestError
from sealstead.server.signing.order import MAX_ITEMS, parse_order

GOOD = {"label": "Production", "profile": "authenticode", "algorithm": "SHA256", "items": [item()]}


def test_a_whole_request_is_read() -> None:
    facts = {"file_name": "setup.exe", "file_size": 2**40, "file_version": "1.0"}
    order = parse_order(
        {
            **GOOD,
            "description": "Harbour",
            "description_url": "https://example.org",
            "items": [item(**facts)] * 2,
        }
    )
    assert (order.selector.value, order.algorithm, order.description) == ("production", "SHA256", "Harbour")
    assert len(order.items) == 2
    assert (order.items[0].file_name, order.items[0].file_size) == ("setup.exe", 2**40)
    assert len(order.items[0].digest) == 32


@pytest.mark.parametrize(
    "change",
    [
        *({"profile": "raw"}, {"profile": None}, {"profile": ["authenticode"]}, {"profile": "Authenticode"}),
        *({"algorithm": "SHA1"}, {"algorithm": "MD5"}, {"algorithm": "sha256"}, {"algorithm": None}),
        *({"algorithm": "BLAKE2b-512"}, {"algorithm": ["SHA256"]}, {"algorithm": {}}),
        *({"items": []}, {"items": None}, {"items": {}}, {"items": [item()] * (MAX_ITEMS + 1)}),
        *({"description": 1}, {"description_url": ["x"]}, {"content_type": "1.2.3"}, {"attributes": ""}),
        {"profile": "cms-detached", "description": "x", "items": [item(kind="file")]},
    ],
    ids=range(20),
)
def test_other_requests_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidSignRequestError):
        parse_order(GOOD | change)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "a\u202eb", "x" * 900_000], ids=range(4))
def test_a_text_that_no_signature_carries_gets_into_no_event_either(text: str) -> None:
    for name in ("description", "description_url"):
        with pytest.raises(SignatureTextError):
            parse_order(GOOD | {name: text})


def test_a_certificate_is_named_once() -> None:
    for change in ({"label": None}, {"subject": "x"}, {"thumbprint": "A" * 40}):
        with pytest.raises(InvalidSelectorError):
            parse_order(GOOD | change)


SHA = b64(bytes(32))


@pytest.mark.parametrize(
    "bad",
    [
        *(None, [], "item", {}, {"kind": "pe"}, {"digest": SHA}),
        *(item(kind="file"), item(kind="msi"), item(kind=["pe"]), item(kind="")),
        *({"kind": "pe", "digest": value} for value in ("", "00" * 32, SHA + "\n", " " + SHA, 1, [SHA])),
        *({"kind": "pe", "digest": value} for value in (b64(bytes(31)), b64(bytes(33)), b64(bytes(64)))),
        # 32 zero bytes again, with surplus bits; and the alphabet of URLs.
        {"kind": "pe", "digest": SHA[:-2] + "B="},
        {"kind": "pe", "digest": base64.urlsafe_b64encode(b"\xff" * 32).decode()},
        *(item(file_size=value) for value in (-1, 1.5, True, "1", 2**63)),
        *(item(file_name=value) for value in (1, "a\nb", "a\x1b[2J", "\ud800", "\u202egpj.exe", "x" * 301)),
        *(item(file_version=value) for value in (1, "x" * 101)),
        {**item(), "content": "MZ"},
    ],
    ids=range(35),
)
def test_one_bad_item_refuses_all_and_is_named(bad: Any) -> None:
    with pytest.raises(InvalidItemError) as refused:
        parse_order(GOOD | {"items": [item(), bad, item()]})
    assert refused.value.facts == {"item": 1}


@pytest.mark.parametrize(
    ("profile", "algorithm", "kind", "length"),
    [
        ("authenticode", "SHA384", "powershell", 48),
        ("cms-detached", "SHA512", "file", 64),
        ("minisign", "BLAKE2b-512", "file", 64),
    ],
)
def test_each_profile_has_its_kinds_and_algorithms(
    profile: str, algorithm: str, kind: str, length: int
) -> None:
    good = {"kind": kind, "digest": b64(bytes(length))}
    order = parse_order(GOOD | {"profile": profile, "algorithm": algorithm, "items": [good]})
    assert order.items[0].digest == bytes(length)
