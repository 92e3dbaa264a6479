from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.name_server import SILENT, NameServer, start_name_server
from tests.fakes.web import Request, Web, answer

from sealstead.errors import UpstreamError
from sealstead.formats.dns_message import BadNameError
from sealstead.net import dns as net_dns
from sealstead.net.dns import (
    NameServerError,
    NameServerRefusesError,
    NameServers,
    Server,
    UnknownResolverError,
    make_resolver,
    system_servers,
)


@pytest.fixture(autouse=True)
def _time_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked twice because the machine is busy elsewhere."""
    monkeypatch.setattr(net_dns, "_TURN_SECONDS", 60.0)


@pytest.fixture
def dns() -> Iterator[NameServer]:
    with start_name_server() as dns:
        dns.texts["ada.example"] = ["v=spf1 -all", "t:" + "x" * 400]
        yield dns


def test_text_records(dns: NameServer) -> None:
    texts = NameServers([dns.server], seconds=60).find_texts("ada.example")
    assert texts == ("v=spf1 -all", "t:" + "x" * 400)


def test_no_such_name_is_no_text(dns: NameServer) -> None:
    assert NameServers([dns.server], seconds=60).find_texts("nobody.example") == ()


def test_long_answers_come_by_tcp(dns: NameServer) -> None:
    dns.truncates = True
    assert len(NameServers([dns.server], seconds=60).find_texts("ada.example")) == 2
    assert dns.asked == [("ada.example", "udp"), ("ada.example", "tcp")]


def test_a_server_that_cannot_and_one_that_will_not(dns: NameServer) -> None:
    dns.rcode = 2
    with pytest.raises(NameServerError):
        NameServers([dns.server], seconds=60).find_texts("ada.example")
    dns.rcode = 5
    with pytest.raises(NameServerRefusesError):
        NameServers([dns.server], seconds=60).find_texts("ada.example")


def test_silence_ends(dns: NameServer) -> None:
    dns.rcode = SILENT
    with pytest.raises(UpstreamError):
        NameServers([dns.server], seconds=0.3).find_texts("ada.example")


def test_a_forged_answer_is_no_answer(dns: NameServer) -> None:
    dns.forges = b"\x00\x00\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00"
    with pytest.raises(NameServerError):
        NameServers([dns.server], seconds=60).find_texts("ada.example")


def test_the_next_server_is_asked(dns: NameServer) -> None:
    with start_name_server() as broken:
        broken.forges = b"nonsense"
        assert NameServers([broken.server, dns.server], seconds=60).find_texts("ada.example")


def test_a_resolver_by_address_and_port(dns: NameServer, web: Web) -> None:
    assert make_resolver(dns.setting, web.pages(), seconds=60).find_texts("ada.example")


def test_a_resolver_behind_https(dns: NameServer, web: Web) -> None:
    def resolver(request: Request, _: object) -> bytes:
        assert request.headers["content-type"] == "application/dns-message"
        return answer(dns.answer(request.body, "https"), kind="application/dns-message")

    web["https://dns.example/dns-query"] = resolver
    made = make_resolver("https://dns.example/dns-query", web.pages(), seconds=60)
    assert len(made.find_texts("ada.example")) == 2
    web["https://dns.example/dns-query"] = answer(status=500)
    with pytest.raises(NameServerError):
        made.find_texts("ada.example")
    web["https://dns.example/dns-query"] = answer("nonsense")
    with pytest.raises(NameServerError):
        made.find_texts("ada.example")


@pytest.mark.parametrize(
    "setting", ["nonsense", "dns.example", "1.1.1.1:0", "1.1.1.1:x", "http://dns.example/"]
)
def test_what_is_no_resolver(setting: str, web: Web) -> None:
    with pytest.raises(UnknownResolverError):
        make_resolver(setting, web.pages(), seconds=1)


def test_the_systems_own(tmp_path: Path) -> None:
    settings = tmp_path / "resolv.conf"
    settings.write_text(
        "# a\nsearch x\nnameserver 192.0.2.1\nnameserver  2001:db8::1 # b\nnameserver nonsense\n"
    )
    assert system_servers(settings) == [Server("192.0.2.1"), Server("2001:db8::1")]
    assert system_servers(tmp_path / "none") == []


def test_nobody_to_ask_is_said_with_what_to_do() -> None:
    with pytest.raises(UnknownResolverError) as caught:
        NameServers([]).find_texts("ada.example")
    assert "--resolver" in (caught.value.hint or "")


def test_names_that_cannot_exist(dns: NameServer) -> None:
    with pytest.raises(BadNameError):
        NameServers([dns.server], seconds=60).find_texts("a..b")
    assert dns.asked == []
