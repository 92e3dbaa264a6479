"""Render a release's description once, to HTML that a page may show (sanitised by `readme_renderer`)."""

from __future__ import annotations

from email.message import Message

from sealstead.server.index.upload_errors import UploadDescriptionError


def render_description(text: str, content_type: str | None) -> str:
    """Return safe HTML, or the empty string for no description.

    Raises:
        UploadDescriptionError: it does not render in the type it declares.
    """
    if not text.strip():
        return ""
    header = Message()
    header["content-type"] = content_type or "text/x-rst"
    html = _render(text, header.get_content_type(), str(header.get_param("variant", "GFM")))
    if html is not None:
        return html
    kind = f"for {content_type!r}" if content_type else "in the default format of reStructuredText"
    raise UploadDescriptionError(f"The description failed to render {kind}.")


def _render(text: str, content_type: str, variant: str) -> str | None:
    # Imported when used: docutils and the sanitiser are a third of a worker's start-up.
    if content_type == "text/markdown":
        from readme_renderer import markdown

        rendered = markdown.render(text, variant=variant)
    elif content_type == "text/plain":
        from readme_renderer import txt

        rendered = txt.render(text)
    else:
        import io

        from readme_renderer import rst

        rendered = rst.render(text, stream=io.StringIO())
    return None if rendered is None else str(rendered)
