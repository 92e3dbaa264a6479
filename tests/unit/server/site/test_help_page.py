from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

import sealstead.server
from sealstead.server import problem
from sealstead.server.site.help_page import ANCHORS

SERVER = Path(sealstead.server.__file__).parent


class _Ids(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "a" and (values.get("href") or "").startswith("#"):
            self.links.append(str(values["href"])[1:])


def _help(**headers: str) -> str:
    answer = Client().get("/help/", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("language", ["en", "de", "en-xa", "ar-xb"])
def test_every_anchor_is_on_the_page_in_every_language(language: str) -> None:
    page = _Ids(_help(**{"Accept-Language": language}))
    assert set(ANCHORS) <= set(page.ids)
    assert set(page.links) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_every_anchor_that_a_refusal_links_to_is_listed() -> None:
    linked = {anchor for _, anchors in problem.CODES.values() for anchor in anchors.split()}
    for path in SERVER.rglob("*"):
        if path.suffix in {".py", ".html", ".txt"}:
            linked |= set(re.findall(r"/help/#([a-z0-9-]+)", path.read_text(encoding="utf-8")))
            linked |= set(
                re.findall(r"""help_link\(["']([a-z0-9-]+)["']\)""", path.read_text(encoding="utf-8"))
            )
    assert linked
    assert linked <= set(ANCHORS)


def test_samples_name_this_server(monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(settings.SEALSTEAD, public_url="https://packages.example.org/")
    monkeypatch.setattr(settings, "SEALSTEAD", config)
    page = _help()
    assert "repository = https://packages.example.org/legacy/" in page
    assert "UV_PUBLISH_URL=https://packages.example.org/legacy/" in page
    assert "index-url = https://packages.example.org/simple/" in page
    assert "TWINE_PASSWORD: ${{ secrets.SEALSTEAD_TOKEN }}" in page
    assert "testserver" not in page
    assert "answers without encryption" not in page


def test_without_a_public_url_samples_name_the_visitors_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        settings, "SEALSTEAD", replace(settings.SEALSTEAD, public_url="http://127.0.0.1:8000")
    )
    page = _help()
    assert "repository = http://testserver/legacy/" in page
    assert "answers without encryption" in page


def test_host_of_a_stranger_reaches_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["packages.example.org"])
    answer = Client().get("/help/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert b"evil.example" not in answer.content
