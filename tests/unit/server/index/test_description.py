from __future__ import annotations

import pytest

from sealstead.server.index.description import render_description
from sealstead.server.index.upload_errors import UploadDescriptionError

HOSTILE = (
    '<script>alert(1)</script><img src=x onerror=alert(2)><a href="javascript:alert(3)">x</a>'
    '<iframe src="https://example.org"></iframe><style>*{}</style><svg onload=alert(4)>'
)


@pytest.mark.parametrize("content_type", ["text/markdown", "text/markdown; variant=CommonMark", "text/plain"])
def test_hostile_html_is_made_harmless(content_type: str) -> None:
    html = render_description(HOSTILE + "\n\n[x](javascript:alert(5))\n", content_type)
    # What is left of a tag is text: no "<" begins any of these.
    lowered = html.lower()
    for tag in ("<script", "<iframe", "<style", "<svg", '<img src="x" onerror'):
        assert tag not in lowered
    assert '<a href="javascript:' not in lowered


def test_hostile_restructuredtext_is_made_harmless() -> None:
    html = render_description("`x <javascript:alert(1)>`__ and <script>alert(1)</script>\n", "text/x-rst")
    assert "<script" not in html
    assert 'href="javascript:' not in html


@pytest.mark.parametrize(
    "text", [".. raw:: html\n\n   <script>alert(1)</script>\n", ".. include:: /etc/passwd\n", ".. nonsense::\n"]
)  # fmt: skip
@pytest.mark.parametrize("content_type", ["text/x-rst", None])
def test_broken_restructuredtext_is_refused(text: str, content_type: str | None) -> None:
    with pytest.raises(UploadDescriptionError, match=r"The description failed to render") as refused:
        render_description(text, content_type)
    assert refused.value.code == "invalid-description"


def test_markdown_renders() -> None:
    assert "<h3" in render_description("# Title\n", "text/markdown")
    assert render_description("  \n", None) == ""


def test_a_description_fits_into_a_page() -> None:
    """The page has the first two levels of headings; links without text and `lang="python"` help no reader."""
    html = render_description("# One\n\n##### Five\n\n```python\nprint(1)\n```\n\n`<h1>`", "text/markdown")
    assert '<h3 id="user-content-one">One</h3>' in html
    assert '<h6 id="user-content-five">Five</h6>' in html
    assert "></a>" not in html
    assert "lang=" not in html
    assert "&lt;h1&gt;" in html
