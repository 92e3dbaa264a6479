from __future__ import annotations

import pytest

from sealstead.formats.negotiation import Form, negotiate

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
PIP = f"{JSON}, {HTML}; q=0.1, text/html; q=0.01"
UV = f"{JSON}, {HTML};q=0.2, text/html;q=0.01"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Form.PLAIN_HTML),
        ("", Form.PLAIN_HTML),
        ("*/*", Form.PLAIN_HTML),
        (BROWSER, Form.PLAIN_HTML),
        (PIP, Form.JSON),
        (UV, Form.JSON),
        (JSON, Form.JSON),
        (JSON.upper(), Form.JSON),
        (HTML, Form.HTML),
        ("application/vnd.pypi.simple.latest+json", Form.JSON),
        ("application/vnd.pypi.simple.latest+html", Form.HTML),
        (f"text/html, {JSON}", Form.JSON),
        (f"text/html, {JSON};q=0.9", Form.PLAIN_HTML),
        ("text/*", Form.PLAIN_HTML),
        ("application/*", Form.JSON),
        (f"{JSON};q=0, */*", Form.PLAIN_HTML),
        (f"{JSON};q=0, */*;q=0.1, text/html;q=0", Form.HTML),
        ("text/html;level=1;q=0.5", Form.PLAIN_HTML),
        ("application/json", None),
        ("image/png", None),
        ("text/html;q=0", None),
        ("text/html;q=nan", None),
        ("text/html;q=2", None),
        ("text/html;q=x", None),
        ("application/vnd.pypi.simple.v2+json", None),
        (",;,q=1;;", None),
    ],
)
def test_accept_decides(accept: str | None, form: Form | None) -> None:
    assert negotiate(accept) is form


@pytest.mark.parametrize(
    ("query", "form"),
    [
        (f"format={JSON}", Form.JSON),
        ("format=application%2Fvnd.pypi.simple.v1%2Bhtml", Form.HTML),
        ("format=text/html", Form.PLAIN_HTML),
        ("format=application/vnd.pypi.simple.v9%2Bjson", None),
        ("other=1", Form.JSON),
        ("&" * 1000, Form.JSON),
    ],
)
def test_the_format_parameter_goes_before_accept(query: str, form: Form | None) -> None:
    assert negotiate(JSON, query) is form


def test_an_endless_header_is_cut() -> None:
    assert negotiate("x," * 5000 + JSON) is None
