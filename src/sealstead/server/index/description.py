"""Render a release's description once, to HTML that a page may show (sanitised by `readme_renderer`)."""

from __future__ import annotations

import re
from email.message import Message
from functools import lru_cache
from typing import Final

from sealstead.server.index.rendering import renderer
from sealstead.server.index.upload_errors import UploadDescriptionError

_REMEMBERED_CHARACTERS: Final = 16_000
_HEADING: Final = re.compile(r"<(/?)h([1-6])(?=[ >])")
_EMPTY_ANCHOR: Final = re.compile(r"<a(?: [^<>]*)?></a>")
_CODE_LANGUAGE: Final = re.compile(r'(<pre[^<>]*?) lang="[^"]*"')


def render_description(text: str, content_type: str | None) -> str:
    """Return safe HTML, or the empty string for no description.

    Raises:
        UploadDescriptionError: it does not render in the type it declares, or not in reasonable time.
        IndexBusyError: others are being rendered for too long.
    """
    if not text.strip():
        return ""
    return (_render_once if len(text) <= _REMEMBERED_CHARACTERS else _render)(text, content_type)


def _render(text: str, content_type: str | None) -> str:
    header = Message()
    header["content-type"] = content_type or "text/x-rst"
    html = renderer.render(text, header.get_content_type(), str(header.get_param("variant", "GFM")))
    if html is not None:
        return _fit_into_a_page(html)
    kind = f"for {content_type!r}" if content_type else "in the default format of reStructuredText"
    raise UploadDescriptionError(f"The description failed to render {kind}.")


# One release's description is mostly the last one's too; 64 of them take 2 MB at the most.
_render_once = lru_cache(maxsize=64)(_render)


def _fit_into_a_page(html: str) -> str:
    """Make the description part of a page that has its own first and second headings.

    The renderer also leaves links without text beside headings, and names programming languages where only human
    ones may stand (`lang`): a screen reader would stumble over both. The input is sanitised, so that no `<` is text.
    """
    html = _HEADING.sub(lambda found: f"<{found[1]}h{min(6, int(found[2]) + 2)}", html)
    return _CODE_LANGUAGE.sub(r"\1", _EMPTY_ANCHOR.sub("", html))
