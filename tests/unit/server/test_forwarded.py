from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from sealstead.server.forwarded import REQUEST_ID_KEY, peer_of, request_id_of

PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


def environ(connected: str, **headers: str) -> dict[str, Any]:
    return {"REMOTE_ADDR": connected} | {"HTTP_" + name.upper(): value for name, value in headers.items()}


def test_without_trusted_proxies_forwarded_headers_count_for_nothing() -> None:
    forged = environ(
        "10.0.0.1",
        x_forwarded_for="6.6.6.6",
        x_forwarded_proto="https",
        x_forwarded_host="evil.example",
        x_request_id="forged-request-id",
    )
    peer = peer_of(forged, ())
    assert (peer.ip, peer.scheme, peer.host, peer.trusted) == ("10.0.0.1", None, None, False)
    assert request_id_of(forged, peer) != "forged-request-id"


def test_nor_do_they_from_an_address_that_is_no_trusted_proxy() -> None:
    peer = peer_of(environ("192.0.2.7", x_forwarded_for="6.6.6.6", x_forwarded_proto="https"), PROXIES)
    assert (peer.ip, peer.scheme, peer.trusted) == ("192.0.2.7", None, False)


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1, 10.9.9.9", "192.0.2.1"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        ("192.0.2.1, <script>", "10.0.0.1"),
        ("192.0.2.1, <script>, 10.2.2.2", "10.2.2.2"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
    ],
)
def test_the_rightmost_address_that_is_no_proxy_is_the_client(header: str, client: str) -> None:
    assert peer_of(environ("10.0.0.1", x_forwarded_for=header), PROXIES).ip == client


def test_an_ipv4_address_in_ipv6_clothes_is_the_same_proxy() -> None:
    peer = peer_of(environ("::ffff:10.0.0.1", x_forwarded_for="192.0.2.1"), PROXIES)
    assert peer.trusted
    assert peer.ip == "192.0.2.1"
    assert peer_of(environ("::ffff:192.0.2.1"), ()).ip == "192.0.2.1"


def test_a_request_without_an_address_has_none() -> None:
    assert peer_of({}, PROXIES).ip is None


def test_scheme_and_host_are_what_the_nearest_proxy_wrote() -> None:
    peer = peer_of(
        environ(
            "::1", x_forwarded_proto="http, HTTPS", x_forwarded_host="evil.example, packages.example.org:8443"
        ),
        PROXIES,
    )
    assert (peer.scheme, peer.host) == ("https", "packages.example.org:8443")


@pytest.mark.parametrize("host", ["a b", "evil/../x", "user@host", "h:port", "", "h\r\nx: y"])
def test_a_host_of_no_such_shape_is_left_alone(host: str) -> None:
    assert peer_of(environ("::1", x_forwarded_host=host), PROXIES).host is None


@pytest.mark.parametrize("scheme", ["javascript", "", "ftp"])
def test_a_scheme_that_is_none_of_ours_is_left_alone(scheme: str) -> None:
    assert peer_of(environ("::1", x_forwarded_proto=scheme), PROXIES).scheme is None


def test_a_request_id_comes_from_a_trusted_proxy_in_a_safe_shape_alone() -> None:
    trusted = peer_of(environ("10.0.0.1"), PROXIES)
    assert request_id_of(environ("10.0.0.1", x_request_id="abc-DEF_123"), trusted) == "abc-DEF_123"
    for forged in ("short", "x" * 37, "has blank in it", "newline\nforged", 'quote"forged'):
        assert request_id_of(environ("10.0.0.1", x_request_id=forged), trusted) != forged


def test_an_id_once_chosen_stays() -> None:
    chosen = {REQUEST_ID_KEY: "chosen-before"}
    assert request_id_of(chosen, peer_of(chosen, ())) == "chosen-before"
