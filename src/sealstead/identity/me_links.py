"""Links with rel=me, from the tags of a page: found where a browser would find one, and nowhere else.

A site may show what strangers wrote in a search box, a draft or a title, where `<` need not be escaped: what stands in
quotes, in comments, or in elements whose content is text is no link. Pages come from strangers too, so each character
is looked at a fixed number of times: expressions never give back what they took, and a tag that does not end is the end.
"""

from __future__ import annotations

import re

_BEGIN = re.compile(r"<(?=[a-zA-Z/!?])")
_NAME = r"[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+"
_VALUE = r"""(?:"([^"]*+)"|'([^']*+)'|([^ \t\n\f\r>"'][^ \t\n\f\r>]*+)|(?=>))"""
_EQUALS = r"[ \t\n\f\r]*+=[ \t\n\f\r]*+"
_ATTRIBUTE = re.compile(rf"({_NAME})(?:{_EQUALS}{_VALUE})?+")
_TAG = re.compile(
    # An `=` after a name, and no value: a quote that does not end.
    rf"</?([a-zA-Z][^ \t\n\f\r/>]*+)((?:[ \t\n\f\r/]++|{_NAME}(?:{_EQUALS}{_VALUE})?+(?!{_EQUALS}))*+)>"
)
_LINKS = frozenset({"a", "area", "link"})
_TEXT_ONLY = frozenset(
    {
        "iframe",
        "noembed",
        "noframes",
        "noscript",
        "plaintext",
        "script",
        "style",
        "template",
        "textarea",
        "title",
        "xmp",
    }
)
"""Elements in which tags are text, or stand for something that is not on the page."""
_LONGEST = 8192
"""Of the attributes of one tag."""
_OPENERS = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">"), ("<?", ">"))


def me_links(page: str) -> frozenset[str]:
    """Return where links with rel=me lead."""
    from html import unescape

    found = set()
    at = 0
    while begin := _BEGIN.search(page, at):
        tag = _TAG.match(page, begin.start())
        if tag is None:
            at = _after_other(page, begin.start())
        else:
            at = tag.end()
            name = tag[1].lower()
            if page[begin.start() + 1] == "/":
                continue
            if name in _LINKS and len(tag[2]) <= _LONGEST:
                attributes = _attributes(tag[2])
                if "me" in attributes.get("rel", "").lower().split():
                    found.add(unescape(attributes.get("href", "")).strip())
            elif name in _TEXT_ONLY:
                at = _after_text(page, name, at)
        if at < 0:
            break
    return frozenset(found - {""})


def _attributes(text: str) -> dict[str, str]:
    """Return the attributes of a tag; of one that stands there twice, the first."""
    attributes: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        attributes.setdefault(match[1].lower(), match[2] or match[3] or match[4] or "")
    return attributes


def _after_text(page: str, name: str, at: int) -> int:
    """Return where the text of an element ends; -1 where it does not."""
    end = re.compile(rf"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE | re.ASCII).search(page, at)
    return end.start() if end else -1


def _after_other(page: str, at: int) -> int:
    """Return where a comment, or the like, ends that begins at `at`; -1 where it does not, or a tag does not."""
    for opener, closer in _OPENERS:
        if page.startswith(opener, at):
            # `<!-->` is a whole comment.
            end = page.find(closer, at + 2)
            return end + len(closer) if end >= 0 else -1
    if page.startswith("</", at) and not page[at + 2 : at + 3].isalpha():
        end = page.find(">", at)
        return end + 1 if end >= 0 else -1
    return -1
