"""Signing keys in the database, for in-process tests. Import it inside tests and fixtures of a `conftest.py`."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from tests.certificates import NOW, Issued, issue, issuer

from sealstead.server.audit.models import Event
from sealstead.server.audit.record import Origin
from sealstead.server.signing.create import By, Named, create_minisign, import_pem
from sealstead.server.signing.models import Certificate, Profile

ORIGIN = Origin(ip="192.0.2.7", user_agent="tests/1", request_id="r-1")
OPERATOR = By(actor=None, at=NOW, origin=ORIGIN)


@cache
def signer(name: str = "Harbour Ltd", **facts: Any) -> Issued:
    """A leaf below the tests' issuer; made once for each set of facts."""
    return issue(name, by=issuer(), ca=False, usage={"digital_signature": True}, **facts)


def make_certificate(
    label: str = "production",
    *,
    profile: Profile = Profile.AUTHENTICODE,
    issued: Issued | None = None,
    alias: str = "",
    **facts: Any,
) -> Certificate:
    """Import a certificate, below the tests' issuer and valid for a year around NOW unless told otherwise."""
    by = By(actor=None, at=facts.pop("at", NOW), origin=ORIGIN)
    named = Named(label=label, profile=profile, alias=alias)
    if profile == Profile.MINISIGN:
        return create_minisign(named, by).row
    issued = issued or issue("Harbour Ltd", by=issuer(), usage={"digital_signature": True}, **facts)
    row = import_pem(issued.pem(), None, named, by).row
    Event.objects.all().delete()
    return row


def at_end(issued: Issued) -> datetime:
    return issued.certificate.not_valid_after_utc
