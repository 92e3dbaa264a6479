"""Which form of a simple page a client asked for: `Accept` (RFC 9110, section 12.5.1) and `?format=` (PEP 691).

Forms: JSON, HTML by its versioned name, HTML by the browsers' name. A client that names nothing in particular gets
HTML, as PEP 503 clients expect; between forms named with equal weight JSON wins, for only it carries everything.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from urllib.parse import parse_qs

MAX_ACCEPT_CHARACTERS = 1000
"""Of an `Accept` header, the rest is not looked at: no client needs more, and each distinct one is remembered."""


class Form(enum.Enum):
    """The value is the media type that the answer carries."""

    JSON = "application/vnd.pypi.simple.v1+json"
    HTML = "application/vnd.pypi.simple.v1+html"
    PLAIN_HTML = "text/html"


_NAMES = {form.value: form for form in Form} | {
    "application/vnd.pypi.simple.latest+json": Form.JSON,
    "application/vnd.pypi.simple.latest+html": Form.HTML,
}
_PREFERENCE = {Form.JSON: 2, Form.HTML: 1, Form.PLAIN_HTML: 0}


def negotiate(accept: str | None, query: str = "") -> Form | None:
    """Return the form to send, or None when the client accepts none of ours (406)."""
    if query:
        asked = parse_qs(query, max_num_fields=20).get("format") if query.count("&") < 20 else None  # noqa: PLR2004
        if asked:
            # parse_qs reads `+` as a blank; nobody escapes it in a media type.
            return _NAMES.get(asked[-1].replace(" ", "+"))
    return _negotiate(accept[:MAX_ACCEPT_CHARACTERS]) if accept else Form.PLAIN_HTML


@lru_cache(maxsize=256)
def _negotiate(accept: str) -> Form | None:
    weights: dict[Form, tuple[int, float]] = {}
    for item in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = _weight(parameters)
        for form, specificity in _matches(media_range):
            # The most specific range decides, whatever the weight of a wider one (RFC 9110, section 12.5.1).
            if form not in weights or specificity >= weights[form][0]:
                weights[form] = (specificity, weight)
    acceptable = {form: match for form, match in weights.items() if match[1] > 0}
    if not acceptable:
        return None
    best = max(weight for _, weight in acceptable.values())
    ties = {form: match[0] for form, match in acceptable.items() if match[1] == best}
    named = [form for form, specificity in ties.items() if specificity == max(ties.values())]
    if Form.PLAIN_HTML in named and max(ties.values()) == 0:
        return Form.PLAIN_HTML
    return max(named, key=_PREFERENCE.__getitem__)


def _matches(media_range: str) -> list[tuple[Form, int]]:
    if media_range in _NAMES:
        return [(_NAMES[media_range], 2)]
    if media_range == "*/*":
        return [(form, 0) for form in Form]
    if media_range.endswith("/*"):
        return [(form, 1) for form in Form if form.value.startswith(media_range[:-1])]
    return []


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
