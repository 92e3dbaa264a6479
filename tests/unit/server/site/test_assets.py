from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.templatetags.static import static
from django.test import Client

import sealstead.server

STATIC = Path(sealstead.server.__file__).parent / "static"


@pytest.mark.parametrize("name", ["css/site.css", "js/site.js", "img/seal.svg"])
def test_hashed_address_serves_the_file_for_ever(name: str) -> None:
    address = static(name)
    assert address != f"/static/{name}"
    answer = Client().get(address)
    assert answer.status_code == 200
    assert answer.content == (STATIC / name).read_bytes()
    assert "immutable" in answer.headers["Cache-Control"]


def test_plain_address_is_served_without_the_promise() -> None:
    answer = Client().get("/static/css/site.css")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" not in answer.headers["Cache-Control"]


def test_gzip_only_when_asked() -> None:
    plain = (STATIC / "css/site.css").read_bytes()
    packed = Client().get("/static/css/site.css", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain
    assert "Content-Encoding" not in Client().get("/static/css/site.css").headers
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_not_modified() -> None:
    etag = Client().get("/static/css/site.css").headers["ETag"]
    assert Client().get("/static/css/site.css", headers={"If-None-Match": etag}).status_code == 304
    assert Client().get("/static/css/site.css", headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "nope.css",
        "css/site.0000000000000000.css",
        "css/",
        "../settings.py",
        "css/../../settings.py",
        "css/.css",
    ],
)
def test_nothing_else_is_served(path: str) -> None:
    assert Client().get(f"/static/{path}").status_code == 404


def test_unknown_name_in_a_template_is_an_error() -> None:
    with pytest.raises(ValueError, match="no static file is named"):
        static("css/nope.css")


def test_own_files_name_no_other_file() -> None:
    """Hashed names need no rewriting only as long as this holds."""
    for path in STATIC.rglob("*"):
        if path.suffix in {".css", ".js"}:
            text = path.read_text()
            assert "url(" not in text
            assert "@import" not in text
            assert "import(" not in text
