from __future__ import annotations

import pytest

from sealstead.net.addresses import PrivateAddressError, check_public, is_address, is_public, parse_address


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # where clouds keep credentials
        "100.64.0.1",  # shared between a provider's customers
        "192.0.0.8",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "64:ff9b:1:7f00:0:100:808:808",  # 127.0.0.1 in the middle (RFC 6052, section 2.2)
        "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_not_on_the_public_internet(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert not is_public(address)
    with pytest.raises(PrivateAddressError):
        check_public("example.org", ["93.184.215.14", text])


@pytest.mark.parametrize(
    "text",
    [
        "93.184.215.14",
        "1.1.1.1",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
        "64:ff9b::1.1.1.1",
        "::ffff:1.1.1.1",
    ],
)
def test_public(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert is_public(address)
    check_public("example.org", [text])


def test_what_is_refused_is_named_once() -> None:
    with pytest.raises(PrivateAddressError, match=r"^127\.0\.0\.1 is not on the public internet$"):
        check_public("127.0.0.1", ["127.0.0.1"])


def test_names_are_no_addresses() -> None:
    assert parse_address("example.org") is None
    assert parse_address("127.1") is None, "the resolver may know it as an address, which is then checked"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("2606:2800::1", True),
        ("localhost", False),
        ("1.2.3", False),
        ("1.2.3.4.", False),
        ("a\0", False),
        ("", False),
    ],
)
def test_an_address_is_told_from_a_name(text: str, *, is_one: bool) -> None:
    assert is_address(text) is is_one
    assert (parse_address(text) is not None) is is_one
