"""What an administrator does with certificates that are there: load the issued chain, rename, switch, grant, remove."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from sealstead.custody.key_import import read_certificates
from sealstead.custody.signers import load_signer
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.mail_kinds import MailKind
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.signing.create import By, Made
from sealstead.server.signing.describe import note
from sealstead.server.signing.errors import CertificateNotAwaitedError, CertificateNotFoundError
from sealstead.server.signing.models import Certificate, Grant
from sealstead.server.signing.names import automatic_alias, free_alias, set_names
from sealstead.server.signing.put_certificate import put_certificate
from sealstead.server.signing.seal import open_key, seal_key


def get_certificate(certificate_id: UUID | str) -> Certificate:
    """Return the row.

    Raises:
        CertificateNotFoundError
    """
    try:
        return Certificate.objects.get(pk=UUID(str(certificate_id)))
    except (Certificate.DoesNotExist, ValueError):
        raise CertificateNotFoundError from None


def load_certificate(row: Certificate, data: bytes, by: By) -> Made:
    """Put the issued certificate and its chain (PEM, or DER of the one) beside the key that waits for it.

    Raises:
        CertificateNotAwaitedError: the row has its certificate, or waits for none.
        MalformedKeyFileError, and those of `put_certificate`.
    """
    with transaction.atomic():
        row = _locked(row)
        if not row.awaits_chain:
            raise CertificateNotAwaitedError(f"{row.alias} does not wait for a certificate")
        secret = open_key(row)
        signer = load_signer(secret)
        named_by_us = row.alias == automatic_alias(row, row.label)
        warnings = put_certificate(
            row, read_certificates(data), public_key_der=signer.public_key_der, at=by.at
        )
        seal_key(row, secret)  # the seal names the certificate now
        if named_by_us:
            row.alias = free_alias(row, row.label)
        row.save()
        note(tags.CERTIFICATE_LOADED, row, by.actor, at=by.at, origin=by.origin)
    return Made(row=row, warnings=warnings)


def rename(row: Certificate, by: By, *, alias: str, label: str) -> Certificate:
    """Change alias and label. Several rows may share a label; `names.sharing_label` tells beforehand.

    Raises:
        InvalidCertificateNameError, AliasInUseError
    """
    with transaction.atomic():
        row = _locked(row)
        before: dict[str, Any] = {"from": f"{row.alias} / {row.label}"}
        set_names(row, alias=alias, label=label)
        row.save(update_fields=["alias", "label", "label_key"])
        note(tags.CERTIFICATE_RENAMED, row, by.actor, at=by.at, origin=by.origin, **before)
    return row


def switch(row: Certificate, by: By, *, enabled: bool) -> Certificate:
    """Allow signing with it, or no longer, at once. Nothing happens if it is so already."""
    with transaction.atomic():
        row = _locked(row)
        if row.enabled == enabled:
            return row
        row.enabled = enabled
        row.save(update_fields=["enabled"])
        tag = tags.CERTIFICATE_ENABLED if enabled else tags.CERTIFICATE_DISABLED
        note(tag, row, by.actor, at=by.at, origin=by.origin)
    return row


def remove(row: Certificate, by: By) -> None:
    """Destroy the key and forget the certificate, for good. Events keep its names; signatures made stay valid."""
    with transaction.atomic():
        row = _locked(row)
        note(tags.CERTIFICATE_REMOVED, row, by.actor, at=by.at, origin=by.origin)
        row.delete()


def grant(row: Certificate, user: User, by: By) -> bool:
    """Let `user` sign with it; return whether that is new."""
    with transaction.atomic():
        row = _locked(row)
        _, new = Grant.objects.get_or_create(certificate=row, user=user, defaults={"granted_at": by.at})
        if new:
            _note_grant(tags.CERTIFICATE_GRANTED, row, user, by)
    return new


def withdraw(row: Certificate, user: User, by: By) -> bool:
    """No longer let `user` sign with it; return whether that changed something."""
    with transaction.atomic():
        row = _locked(row)
        gone, _ = Grant.objects.filter(certificate=row, user=user).delete()
        if gone:
            _note_grant(tags.CERTIFICATE_WITHDRAWN, row, user, by)
    return bool(gone)


def set_certificates_of(user: User, rows: Iterable[Certificate], by: By) -> None:
    """Grant exactly these to `user`, and withdraw the others."""
    wanted = {row.pk: row for row in rows}
    with transaction.atomic():
        held = {
            one.certificate_id: one.certificate
            for one in user.certificate_grants.select_related("certificate")
        }
        for pk in wanted.keys() - held.keys():
            grant(wanted[pk], user, by)
        for pk in held.keys() - wanted.keys():
            withdraw(held[pk], user, by)


def set_users_of(row: Certificate, users: Iterable[User], by: By) -> None:
    """Grant it to exactly these, and withdraw it from the others."""
    wanted = {user.pk: user for user in users}
    with transaction.atomic():
        held = {one.user_id: one.user for one in row.grants.select_related("user")}
        for pk in wanted.keys() - held.keys():
            grant(row, wanted[pk], by)
        for pk in held.keys() - wanted.keys():
            withdraw(row, held[pk], by)


def _locked(row: Certificate) -> Certificate:
    try:
        return Certificate.objects.select_for_update().get(pk=row.pk)
    except Certificate.DoesNotExist:
        raise CertificateNotFoundError from None


def _note_grant(tag: str, row: Certificate, user: User, by: By) -> None:
    """Write the event, and tell the user, unless it was they."""
    note(tag, row, by.actor, at=by.at, origin=by.origin, user_id=user.pk, user=user.get_username())
    if by.actor is None or by.actor.pk != user.pk:
        facts = {"row": row, "granted": tag == tags.CERTIFICATE_GRANTED, "actor": by.actor}
        notify([user], "certificate-grant", facts, kind=MailKind.CERTIFICATE_GRANT)
