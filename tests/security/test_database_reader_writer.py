"""Threat: somebody reads the whole database and the files, or writes the database, without the key ring.

Neither makes a token, and neither widens, extends, moves or revives one.
What this does not cover, and says so in docs/adr/0009-token-rows.md: putting back a whole row from an older copy.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from tests.rows import make_user
from tests.tokens import CHROME, ORIGIN, STEEL, T0, issue_token

from sealstead.custody.sealed import KeyRing, SealBrokenError, UnknownMasterKeyError
from sealstead.formats.macaroon import mint
from sealstead.formats.token_text import parse_token, serialize_token
from sealstead.secret import Secret
from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.errors import InvalidCredentialError
from sealstead.server.credentials.judge import UploadGrant, judge_upload_token
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import revoke
from sealstead.server.credentials.rotate import rotate_upload_token
from sealstead.server.credentials.seal import open_root

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
T1 = T0 + DAY


@pytest.fixture
def mallory() -> User:
    return make_user("mallory")


@pytest.fixture
def ada() -> User:
    return make_user("ada")


def judge(token: Secret[str], **facts: Any) -> UploadGrant:
    # Each attempt from an address of its own, so that none is refused for the number of them.
    origin = Origin(ip=f"198.51.{os.urandom(1)[0]}.{os.urandom(1)[0]}")
    return judge_upload_token(token, **{"at": T1, "origin": origin} | facts)


def write(row: Credential, **columns: Any) -> None:
    assert Credential.objects.filter(pk=row.pk).update(**columns) == 1


def whole_database() -> bytes:
    """Return every value of every table, as bytes."""
    found = bytearray()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - its own tables
            for record in cursor.fetchall():
                for value in record:
                    found += bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    found += b"\0"
    return bytes(found)


def all_files() -> bytes:
    """Return every file of the data directory but the key ring."""
    paths = settings.SEALSTEAD.data_dir.rglob("*")
    return b"\0".join(path.read_bytes() for path in paths if path.is_file() and path.name != "keyring.json")


def test_what_a_reader_sees_holds_no_token_and_no_root_key(ada: User) -> None:
    row, token = issue_token(owner=ada)
    judge(token)
    successor, new = rotate_upload_token(
        row, actor=ada, overlap=DAY, idempotency_key="secret-key", at=T1, origin=ORIGIN
    )
    revoked, gone = issue_token(owner=ada, name="gone")
    revoke(revoked, actor=ada, at=T1, origin=ORIGIN)
    seen = whole_database() + all_files()
    assert str(row.pk).replace("-", "").encode() in seen.replace(b"-", b"")
    roots = [open_root(Credential.objects.get(pk=pk)) for pk in (row.pk, successor.pk)]
    signatures = [parse_token(text.reveal()).signature for text in (token, new, gone)]
    for secret in [*roots, *signatures]:
        for form in (
            secret,
            secret.hex().encode(),
            base64.b64encode(secret),
            base64.urlsafe_b64encode(secret),
        ):
            assert form.rstrip(b"=") not in seen
    for text in (token, new, gone):
        assert text.reveal().encode() not in seen
        assert text.reveal()[-40:].encode() not in seen


def test_nothing_a_reader_sees_signs_a_token(ada: User) -> None:
    row, token = issue_token(owner=ada)
    genuine = parse_token(token.reveal())
    seen = whole_database()
    sealed = bytes(Credential.objects.get(pk=row.pk).sealed_root or b"")
    windows = {sealed[i : i + 32] for i in range(len(sealed) - 31)}
    windows |= {bytes.fromhex(found.decode()) for found in re.findall(rb"\b[0-9a-f]{64}\b", seen)}
    windows |= {hmac.digest(b"", window, "sha256") for window in tuple(windows)}
    assert len(windows) > 50
    for root in windows:
        forged = mint(root, location=genuine.location, identifier=genuine.identifier, caveats=genuine.caveats)
        assert forged.signature != genuine.signature
    with pytest.raises(InvalidCredentialError):
        judge(Secret(serialize_token(forged)))


def test_another_key_ring_opens_nothing(ada: User) -> None:
    from dataclasses import replace

    _, token = issue_token(owner=ada)
    genuine = settings.SEALSTEAD
    settings.SEALSTEAD = replace(genuine, ring=KeyRing.generate())
    try:
        with pytest.raises(InvalidCredentialError):
            judge(token)
    finally:
        settings.SEALSTEAD = genuine
    judge(token)


WIDENINGS: dict[str, Callable[[], dict[str, Any]]] = {
    "owner": lambda: {"owner": User.objects.get(username="mallory")},
    "kind": lambda: {"kind": "api-key"},
    "scope to all": lambda: {"scope": {"all_projects": True}},
    "scope to another": lambda: {"scope": {"projects": {"steel": str(STEEL[1])}}},
    "scope to more": lambda: {"scope": {"projects": {"chrome": str(CHROME[1]), "steel": str(STEEL[1])}}},
    "scope by name alone": lambda: {"scope": {"projects": {"chrome": str(STEEL[1])}}},
    "expires later": lambda: {"expires_at": T0 + timedelta(days=3650)},
    "never expires": lambda: {"expires_at": None},
    "begins": lambda: {"not_before": T0 - DAY},
    "retires": lambda: {"retires_at": T0 + timedelta(days=20)},
    "created": lambda: {"created_at": T0 - DAY},
    "line": lambda: {"line": uuid.uuid4()},
    "age of the line": lambda: {"line_started_at": T0 + timedelta(hours=1)},
    "predecessor": lambda: {"predecessor": Credential.objects.get(name="other")},
    "root of another row": lambda: {"sealed_root": Credential.objects.get(name="other").sealed_root},
    "own root": lambda: {"sealed_root": KeyRing.generate().seal(b"k" * 32, context=("x",))},
    "root in the clear": lambda: {"sealed_root": b"k" * 32},
    "no root": lambda: {"sealed_root": b""},
}


@pytest.mark.parametrize("change", WIDENINGS)
def test_a_changed_row_is_accepted_no_more(change: str, ada: User, mallory: User) -> None:
    row, token = issue_token(owner=ada)
    issue_token(owner=ada, name="other")
    judge(token)
    write(row, **WIDENINGS[change]())
    with pytest.raises(InvalidCredentialError):
        judge(token)


@pytest.mark.parametrize("change", [name for name in WIDENINGS if name != "kind"])
def test_a_changed_row_gets_no_successor(change: str, ada: User, mallory: User) -> None:
    """Rotation copies the row's scope and life: it must not launder what was written there."""
    row, _ = issue_token(owner=ada)
    issue_token(owner=ada, name="other")
    write(row, **WIDENINGS[change]())
    count = Credential.objects.count()
    with pytest.raises((SealBrokenError, UnknownMasterKeyError)):
        rotate_upload_token(row, actor=ada, overlap=DAY, idempotency_key="k", at=T1, origin=ORIGIN)
    assert Credential.objects.count() == count


def test_what_carries_no_power_may_change(ada: User) -> None:
    row, token = issue_token(owner=ada)
    write(row, name="renamed", use_count=7, last_used_at=None, holds_name=False, rotation_key="x" * 64)
    judge(token).require_project(*CHROME)


def test_a_revoked_token_is_not_revived(ada: User) -> None:
    row, token = issue_token(owner=ada)
    revoke(row, actor=ada, at=T0, origin=ORIGIN)
    write(row, revoked_at=None, revoke_reason="", holds_name=True)
    with pytest.raises(InvalidCredentialError):
        judge(token)


@pytest.mark.parametrize("retires_at", [None, T0 + timedelta(days=25)])
def test_a_retired_token_is_not_revived(ada: User, retires_at: Any) -> None:
    row, old = issue_token(owner=ada)
    rotate_upload_token(
        row, actor=ada, overlap=timedelta(0), idempotency_key="k", at=T0 + timedelta(minutes=1), origin=ORIGIN
    )
    write(row, retires_at=retires_at)
    with pytest.raises(InvalidCredentialError):
        judge(old)


def test_an_expiry_holds_without_the_row(ada: User) -> None:
    """The token carries its end itself: even a row sealed anew with a later one does not lengthen it."""
    from sealstead.server.credentials.errors import TokenExpiredError
    from sealstead.server.credentials.seal import seal_root

    row, token = issue_token(owner=ada, expires_at=T0 + DAY)
    root = open_root(row)
    row.expires_at = None
    seal_root(row, root)
    row.save()
    with pytest.raises(TokenExpiredError):
        judge(token, at=T0 + DAY)


def test_a_row_made_by_hand_is_no_token(ada: User, mallory: User) -> None:
    """Mallory has a token of her own, and writes a row for a root key that she chose."""
    own, _ = issue_token(owner=mallory, projects=[STEEL])
    root = os.urandom(32)
    for sealed in (root, KeyRing.generate().seal(root, context=("x",)), bytes(own.sealed_root or b"")):
        made = Credential.objects.get(pk=own.pk)
        made.pk = made.line = uuid.uuid4()
        made.owner, made.name, made.scope, made.sealed_root = (
            ada,
            str(made.pk),
            {"all_projects": True},
            sealed,
        )
        made.save(force_insert=True)
        macaroon = mint(root, location=b"", identifier=str(made.pk).encode())
        with pytest.raises(InvalidCredentialError):
            judge(Secret(serialize_token(macaroon)))


def test_the_seal_names_every_column_that_carries_power() -> None:
    """A column added later must be sealed, or be listed here as harmless."""
    from inspect import getsource

    from sealstead.server.credentials import seal

    harmless = {
        "name", "holds_name", "revoke_reason", "rotation_key",
        "last_used_at", "last_used_ip", "last_used_agent", "use_count",
    }  # fmt: skip
    # Two need no seal: revoking and removing destroy the sealed value itself.
    elsewhere = {"revoked_at", "removed_at", "sealed_root"}
    source = getsource(seal._context)
    for field in Credential._meta.concrete_fields:
        if field.name not in harmless | elsewhere:
            assert re.search(rf"row\.{field.attname}\b", source), field.name
    assert json.dumps(sorted(harmless & elsewhere)) == "[]"
