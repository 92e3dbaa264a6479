from __future__ import annotations

import pytest

from sealstead.net.server_address import ServerAddressError, check_address, is_loopback, proxy_for


@pytest.mark.parametrize(
    "url",
    [
        "https://sign.example.org",
        "https://sign.example.org:8443/base/",
        " https://192.0.2.1 ",
        "HTTPS://SIGN.example.org",
        "http://127.0.0.1:8000",
        "http://localhost",
        "http://[::1]:80",
        "http://127.9.9.9",
    ],
)
def test_where_a_key_may_travel(url: str) -> None:
    assert check_address(url).hostname


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sign.example.org",
        "ftp://sign.example.org",
        "https://",
        "https://a b",
        "https://x:99999",
        "https://x/?a=1",
        "https://x/#a",
        "https://user@x",
        "https://user:s3cr3t@x",
        "https://x\n.example",
        "https://bücher.example",
        "http://sign.example.org",
        "http://192.168.1.5",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
        "http://127.0.0.1@sign.example.org",
        "http://0.0.0.0",
    ],
)
def test_where_it_may_not(url: str) -> None:
    with pytest.raises(ServerAddressError) as refused:
        check_address(url)
    assert "s3cr3t" not in refused.value.message


def test_what_is_no_secret_may_go_in_the_clear() -> None:
    assert check_address("http://time.example.org/tsa", in_the_clear=True).path == "/tsa"


def test_loopback_is_this_machine_alone() -> None:
    assert is_loopback("LOCALHOST.")
    assert not is_loopback("example.org")
    assert not is_loopback("192.168.0.1")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"https_proxy": "http://p:3128"}, "http://p:3128"),
        ({"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        ({"ALL_PROXY": "http://p"}, "http://p"),
        ({"http_proxy": "http://p"}, None),
        ({"https_proxy": "http://p", "no_proxy": "other,.example.org"}, None),
        ({"https_proxy": "http://p", "NO_PROXY": "sign.example.org"}, None),
        ({"https_proxy": "http://p", "no_proxy": "*"}, None),
        ({"https_proxy": "http://p", "no_proxy": "gn.example.org"}, "http://p"),
    ],
)
def test_the_environment_s_proxy(environ: dict[str, str], expected: str | None) -> None:
    assert proxy_for("sign.example.org", "https", environ) == expected
    assert proxy_for("127.0.0.1", "https", environ) is None


def test_a_visitor_s_header_names_no_proxy() -> None:
    """HTTP_PROXY is what CGI makes of the header `Proxy`."""
    assert proxy_for("time.example.org", "http", {"HTTP_PROXY": "http://thief"}) is None
    assert proxy_for("time.example.org", "http", {"http_proxy": "http://p"}) == "http://p"
