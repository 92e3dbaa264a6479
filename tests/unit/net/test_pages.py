from __future__ import annotations

import gzip
import socket
import threading

import pytest
from tests.fakes.web import PUBLIC, Request, Web, answer, redirect

from sealstead.net.addresses import PrivateAddressError
from sealstead.net.connection import UnreachableError
from sealstead.net.pages import LeavesSiteError, RedirectError, WebPages
from sealstead.net.resolve import UnknownHostError
from sealstead.net.urls import BadUrlError

HERE = "http://example.org/"
BY_ADDRESS = f"http://{PUBLIC}/"
"""Of this no name is looked up: what is short here is the time for the answer, and that alone."""


def test_a_page(web: Web) -> None:
    web[HERE] = answer("hello")
    page = web.pages().fetch(HERE)
    assert (page.status, page.text(), page.complete, page.hops) == (200, "hello", True, ())
    assert web.dialled == [(PUBLIC, 80)]


def test_a_page_with_tls_is_checked_for_its_name(web: Web) -> None:
    web["https://example.org/"] = answer("safe")
    assert web.pages().fetch("https://example.org/").text() == "safe"
    with pytest.raises(UnreachableError, match="no secure connection"):
        web.pages(tls=None).fetch("https://example.org/")  # the system knows no such authority


def test_a_certificate_of_another_name(web: Web) -> None:
    web["https://example.org/"] = answer("safe")
    web.presents["example.org"] = "evil.example"
    with pytest.raises(UnreachableError, match="no secure connection"):
        web.pages().fetch("https://example.org/")
    assert web.requests == []


def test_whatever_the_status_says(web: Web) -> None:
    assert web.pages().fetch(HERE).status == 404


def test_names_that_are_not_known(web: Web) -> None:
    with pytest.raises(UnknownHostError):
        web.pages().fetch("http://nowhere.invalid/")


def test_nobody_listens() -> None:
    with (
        socket.socket() as bound
    ):  # nobody else gets its port meanwhile, and without `listen` it answers nobody
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        with pytest.raises(UnreachableError, match="cannot be reached"):
            WebPages(allow_private=True).fetch(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost/",
        "http://2130706433/",  # 127.0.0.1, as the system's resolver reads it
    ],
)
def test_addresses_of_ones_own_network(url: str, web: Web) -> None:
    from sealstead.net.resolve import system_lookup

    with pytest.raises(PrivateAddressError):
        web.pages(lookup=system_lookup).fetch(url)
    assert web.dialled == []


def test_one_private_address_among_public_ones_is_enough(web: Web) -> None:
    web.names["example.org"] = [PUBLIC, "10.0.0.1"]
    with pytest.raises(PrivateAddressError):
        web.pages().fetch(HERE)
    assert web.dialled == []


def test_private_addresses_where_they_are_allowed(web: Web) -> None:
    web[f"{web.base}/x"] = answer("mine")
    with WebPages(allow_private=True) as pages:
        assert pages.fetch(f"{web.base}/x").text() == "mine"


def test_a_name_that_changes_between_check_and_use(web: Web) -> None:
    """DNS rebinding: public for the check, private for whoever looks the name up again."""
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    web[HERE] = answer("hello", fields={"Connection": "close"})
    pages = web.pages(lookup=rebinding)
    assert pages.fetch(HERE).text() == "hello"
    assert (asked, web.dialled) == (["example.org"], [(PUBLIC, 80)]), "the checked address is the dialled one"
    with pytest.raises(PrivateAddressError):
        pages.fetch(HERE)
    assert web.dialled == [(PUBLIC, 80)]


def test_redirects_are_checked_again(web: Web) -> None:
    web.names["inside.example"] = ["192.168.0.1"]
    web[HERE] = redirect("http://inside.example/")
    with pytest.raises(PrivateAddressError):
        web.pages().fetch(HERE, anywhere=True)
    assert web.asked() == [HERE]


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://example.org/", "http://user@example.org/", "javascript:1", "http://"]
)
def test_redirects_to_what_is_not_fetched(to: str, web: Web) -> None:
    web[HERE] = redirect(to)
    with pytest.raises(RedirectError):
        web.pages().fetch(HERE, anywhere=True)


def test_redirects_to_ports_of_other_protocols(web: Web) -> None:
    web[HERE] = redirect("http://example.org:25/")
    with pytest.raises(RedirectError):
        web.pages().fetch(HERE, anywhere=True)
    with pytest.raises(BadUrlError):
        web.pages().fetch("http://example.org:25/")
    assert web.dialled == [(PUBLIC, 80)]


def test_a_redirect_within_the_site(web: Web) -> None:
    web[HERE] = redirect("https://www.example.org/ada")
    web["https://www.example.org/ada"] = answer("moved")
    page = web.pages().fetch(HERE)
    assert (page.text(), page.hops) == ("moved", ("https://www.example.org/ada",))


def test_a_redirect_to_another_site(web: Web) -> None:
    """An open redirect of a famous site must not make its URL look like ours."""
    web["http://famous.example/url?q=http://evil.example/"] = redirect("http://evil.example/")
    web["http://evil.example/"] = answer("the proof")
    with pytest.raises(LeavesSiteError):
        web.pages().fetch("http://famous.example/url?q=http://evil.example/")
    assert web.pages().fetch("http://famous.example/url?q=http://evil.example/", anywhere=True).text()


def test_never_from_https_to_http(web: Web) -> None:
    web["https://example.org/"] = redirect("http://example.org/x")
    with pytest.raises(RedirectError, match="unprotected"):
        web.pages().fetch("https://example.org/", anywhere=True)


def test_redirects_in_circles_and_without_end(web: Web) -> None:
    web["http://example.org/a"] = redirect("/b")
    web["http://example.org/b"] = redirect("/a")
    with pytest.raises(RedirectError):
        web.pages().fetch("http://example.org/a")
    for at in range(10):
        web[f"http://example.org/{at}"] = redirect(f"/{at + 1}")
    with pytest.raises(RedirectError):
        web.pages(redirects=3).fetch("http://example.org/0")
    assert web.asked()[-1] == "http://example.org/3"


def test_a_long_page_is_read_to_the_limit(web: Web) -> None:
    web[HERE] = answer(b"x" * 5_000_000)
    page = web.pages(max_bytes=1_000_000).fetch(HERE)
    assert (len(page.body), page.complete) == (1_000_000, False)
    web[HERE] = answer(b"x" * 1_000_000)
    page = web.pages(max_bytes=1_000_000).fetch(HERE)
    assert (len(page.body), page.complete) == (1_000_000, True)


def test_a_page_without_end(web: Web) -> None:
    def endless(request: Request, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")

    web[HERE] = endless
    page = web.pages(max_bytes=100_000).fetch(HERE)
    assert (len(page.body), page.complete) == (100_000, False)


def test_a_head_without_end(web: Web) -> None:
    def endless(request: Request, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X: " + b"x" * 4000 + b"\r\n")

    web[HERE] = endless
    with pytest.raises(UnreachableError, match="head"):
        web.pages().fetch(HERE)


def test_interim_answers_without_end(web: Web) -> None:
    def endless(request: Request, connection: socket.socket) -> None:
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

    web[BY_ADDRESS] = endless
    with pytest.raises(UnreachableError):
        web.pages(seconds=1).fetch(BY_ADDRESS)


def test_a_page_that_trickles(web: Web) -> None:
    """Each byte comes in time, the page never does."""
    over = threading.Event()

    def trickle(request: Request, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not over.wait(0.05):
            connection.sendall(b"x")

    web[BY_ADDRESS] = trickle
    with pytest.raises(UnreachableError, match="complete answer within"):
        web.pages(seconds=0.4).fetch(BY_ADDRESS)  # whole after more than an hour
    over.set()


def test_a_resolver_that_hangs(web: Web) -> None:
    over = threading.Event()

    def hangs(host: str, port: int) -> list[str]:
        over.wait()
        return []

    with pytest.raises(UnknownHostError, match="too long"):
        web.pages(seconds=0.3, lookup=hangs).fetch(HERE)
    over.set()


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http(said: bytes, web: Web) -> None:
    def says(request: Request, connection: socket.socket) -> None:
        connection.sendall(said)

    web[HERE] = says
    with pytest.raises(UnreachableError):
        web.pages().fetch(HERE)


def test_a_compressed_bomb(web: Web) -> None:
    web[HERE] = answer(gzip.compress(b"0" * 100_000_000), fields={"Content-Encoding": "gzip"})
    page = web.pages(max_bytes=50_000).fetch(HERE)
    assert (len(page.body), page.complete) == (50_000, False)


def test_connections_are_used_again(web: Web) -> None:
    for at in range(5):
        web[f"http://example.org/{at}"] = answer(str(at))
    pages = web.pages()
    assert [pages.fetch(f"http://example.org/{at}").text() for at in range(5)] == list("01234")
    assert web.connections == 1
    pages.close()


def test_no_connection_is_shared_with_another_process(web: Web) -> None:
    web[HERE] = answer("hello")
    pages = web.pages()
    for _ in range(2):
        pages.fetch(HERE)
        pages.share(2)
    assert web.connections == 2


def test_a_kept_connection_that_was_closed_is_opened_again(web: Web) -> None:
    def once(request: Request, connection: socket.socket) -> None:
        connection.sendall(answer("one"))  # and closes, without having said so

    web[HERE] = once
    pages = web.pages()
    assert [pages.fetch(HERE).text() for _ in range(3)] == ["one"] * 3


def test_leftovers_are_not_the_next_answer(web: Web) -> None:
    """What a server sends after the end of a page must not become the page that is asked for next."""
    web["http://example.org/evil"] = answer("ours") + answer("the forged one")
    web["http://example.org/next"] = answer("the real one")
    pages = web.pages()
    assert pages.fetch("http://example.org/evil").text() == "ours"
    assert pages.fetch("http://example.org/next").text() == "the real one"


def test_a_second_address_is_tried(web: Web) -> None:
    web.names["example.org"] = ["93.184.215.15", PUBLIC]
    web[HERE] = answer("hello")

    def dial(where: tuple[str, int], seconds: float) -> socket.socket:
        if where[0] == "93.184.215.15":
            raise ConnectionRefusedError(111, "refused")
        return web.dial(where, seconds)

    assert web.pages(dial=dial).fetch(HERE).text() == "hello"


def test_proxies_of_the_environment_are_left_alone(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    web[HERE] = answer("direct")
    assert web.pages().fetch(HERE).text() == "direct"


def test_a_request_says_who_asks_and_nothing_more(web: Web) -> None:
    web["http://example.org/x?y=z"] = answer("hello")
    web.pages().fetch("http://example.org/x?y=z#fragment")
    [request] = web.requests
    assert request.url == "http://example.org/x?y=z"
    assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding"}


def test_a_post_is_not_sent_on(web: Web) -> None:
    web[HERE] = redirect("http://example.org/other")
    page = web.pages().fetch(HERE, body=b"{}", headers={"Content-Type": "application/json"})
    assert page.status == 302
    assert [(request.method, request.body) for request in web.requests] == [("POST", b"{}")]
