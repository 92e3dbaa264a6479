"""A publisher of the tests: her key, her proofs, and what checks them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.web import Web

from sealstead.formats.minisign import SecretKey, make_secret_key
from sealstead.formats.proof_text import Form, ProofContext, make_proof
from sealstead.identity.claim import Verifier

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
USER, PACKAGE = "ada", "pypi-profile-ada"


def make_key(number: int = 1) -> SecretKey:
    return make_secret_key(bytes([number]) * 32, bytes([number]) * 8)


KEY = make_key()


def sign(
    url: str,
    *,
    key: SecretKey = KEY,
    form: Form = "compact",
    user: str = USER,
    package: str = PACKAGE,
    at: datetime = NOW - timedelta(days=1),
    lasts: timedelta = YEAR,
) -> str:
    context = ProofContext(package=package, username=user, url=url)
    return make_proof(key, context, form=form, at=at, expires_at=at + lasts, nonce=b"n" * 16)


class NoRecords:
    """A `TextRecords` that knows no domain."""

    def find_texts(self, name: str) -> tuple[str, ...]:
        return ()


def verifier(web: Web, **more: Any) -> Verifier:
    settings: dict[str, Any] = {
        "pages": web.pages(),
        "texts": NoRecords(),
        "username": USER,
        "package": PACKAGE,
        "keys": [KEY.public],
        "at": NOW,
        "seconds": 60,
    }
    return Verifier(**{**settings, **more})
