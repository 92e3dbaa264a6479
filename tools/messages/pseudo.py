"""Pseudo-locales: text that is visibly not the source, readable, longer, and free of ASCII letters.

`en-xa` shows what was never translated and what breaks when words grow by a third; `ar-xb` is the same text written
from right to left. A page in either must hold no ASCII letter that is not data: that is what the test looks for.
"""

from __future__ import annotations

import re

_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ACCENTED = "åƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ"
_ACCENTS = str.maketrans(_PLAIN, _ACCENTED)
_FILLER = " ḻöŕéɱ îþšûɱ ðöļöŕ šîţ åɱéţ çöñšéçţéţûŕ"
# What is not text: placeholders, tags, entities.
_KEPT = re.compile(r"(%\([a-z_0-9]+\)[sd]|%[sd%]|\{[a-z_0-9]*\}|<[^<>]+>|&[a-z#0-9]+;)", re.IGNORECASE)
_RIGHT_TO_LEFT, _POP = "\u202e", "\u202c"


def accented(text: str) -> str:
    """Return the text with accents, between brackets, about a third longer."""
    if not text.strip():
        return text
    body = _map(text, lambda piece: piece.translate(_ACCENTS))
    lead, core, tail = _edges(body)
    return f"{lead}⟦{core}{_FILLER[: max(1, len(text) // 3)].rstrip()}⟧{tail}"


def right_to_left(text: str) -> str:
    """Return the text with accents, its letters ordered from right to left."""
    if not text.strip():
        return text

    def override(piece: str) -> str:
        lead, core, tail = _edges(piece)
        if not core:
            return piece
        # An override must end before a line does: a mail's subject and lines stand alone.
        lines = core.translate(_ACCENTS).split("\n")
        return lead + "\n".join(f"{_RIGHT_TO_LEFT}{line}{_POP}" if line else line for line in lines) + tail

    lead, core, tail = _edges(_map(text, override))
    return f"{lead}⟦{core}⟧{tail}"


def _map(text: str, change) -> str:  # type: ignore[no-untyped-def] # noqa: ANN001
    pieces = _KEPT.split(text)
    return "".join(piece if index % 2 else change(piece) for index, piece in enumerate(pieces))


def _edges(text: str) -> tuple[str, str, str]:
    """Split off white space at both ends: gettext wants line breaks at the ends to agree."""
    core = text.strip()
    if not core:
        return text, "", ""
    start = text.index(core)
    return text[:start], core, text[start + len(core) :]
