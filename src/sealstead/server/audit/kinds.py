"""Kinds of events, by the noun of their tag: what the page of all events can be narrowed to."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: dict[str, tuple[Promise, tuple[str, ...]]] = {
    "accounts": (_("Accounts and sign-ins"), ("account",)),
    "credentials": (_("Keys and tokens"), ("upload-token", "api-key", "read-token", "credential")),
    "signing": (_("Signing"), ("signing", "signature")),
    "certificates": (_("Certificates"), ("certificate",)),
    "index": (_("Projects and files"), ("file", "release", "project", "role", "index")),
}
"""Kind to its name and its nouns."""

OUTCOMES: dict[str, Promise] = {"accepted": _("Done"), "refused": _("Refused")}


def kind_of(tag: str) -> str:
    """Return the kind of a tag; blank for a noun that no kind has."""
    noun = tag.partition(":")[0]
    return next((kind for kind, (_name, nouns) in KINDS.items() if noun in nouns), "")
