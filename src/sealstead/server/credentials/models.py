"""One table for every kind of credential (DESIGN §3). Upload tokens are its first kind.

Rules the database itself upholds:
  * a credential has at most one living successor;
  * a name stands for one line of descent an owner.
States are derived from the moments (`lifecycle/states.py`), never stored.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class Kind(models.TextChoices):
    UPLOAD_TOKEN = "upload-token"  # noqa: S105 - a kind, not a token
    API_KEY = "api-key"
    IDENTITY_KEY = "identity-key"
    READ_TOKEN = "read-token"  # noqa: S105 - a kind, not a token


class Credential(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="credentials")
    name = models.CharField(max_length=100)
    holds_name = models.BooleanField(default=True)
    """One credential of a living line holds the line's name; it is free again when the line has ended."""
    handle = models.CharField(max_length=12, unique=True, null=True)
    """The public id in the text of an API key (`formats/api_key_text.py`); upload tokens have none."""
    scope = models.JSONField(default=dict)
    """What was picked. Upload tokens: `{"projects": {"normalised-name": "project id", ...}}` or
    `{"all_projects": true}`. API keys: `{"roles": [...], "labels": [...], "networks": [...], "rate": "60/m"}`, the
    last three only where the key is narrowed. Shown, copied by rotation, and enforced: for tokens through the
    caveats they carry, for API keys from here. The seal binds it (`seal.py`), so editing this column widens nothing
    and ends the credential."""
    line = models.UUIDField()
    """Id of the first credential of this line of descent."""
    line_started_at = models.DateTimeField()
    predecessor = models.ForeignKey("self", null=True, on_delete=models.RESTRICT, related_name="successors")
    """Restricted, not protected: a line goes with its owner's account, and otherwise stays whole."""
    created_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    retires_at = models.DateTimeField(null=True)
    """Set by rotation: from this moment on only the successor is accepted."""
    overdue_at = models.DateTimeField(null=True)
    """Set by a rotation that leaves the end to a person: from this moment on that is late."""
    disabled_at = models.DateTimeField(null=True)
    """Refused for now, at the owner's or an administrator's wish; cleared when it is enabled again."""
    revoked_at = models.DateTimeField(null=True)
    revoke_reason = models.CharField(max_length=200, blank=True)
    removed_at = models.DateTimeField(null=True)
    """Deleted by its owner: on no list any more. The row stays, so that its line and its events stay whole."""
    sealed_root = models.BinaryField(null=True)
    """What a presented credential is checked against, under the master key: the root key of a token, the SHA-256 of
    an API key's secret. Destroyed on revocation, so clearing `revoked_at` revives nothing."""
    rotation_key = models.CharField(max_length=64, blank=True)
    """Hash of the idempotency key of the rotation that made this credential."""
    last_used_at = models.DateTimeField(null=True)
    last_used_ip = models.GenericIPAddressField(null=True)
    last_used_agent = models.CharField(max_length=400, blank=True)
    use_count = models.PositiveBigIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["owner", "kind"], name="credential_owner"),
            models.Index(fields=["line"], name="credential_line"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["predecessor"],
                condition=Q(revoked_at__isnull=True),
                name="credential_one_living_successor",
            ),
            models.UniqueConstraint(
                fields=["owner", "kind", "name"],
                condition=Q(holds_name=True),
                name="credential_line_name",
            ),
        ]


class AddressUse(models.Model):
    """How often a credential was used from one address since it was rotated: where the old one is still in use."""

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="address_uses")
    address = models.GenericIPAddressField()
    count = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["credential", "address"], name="credential_address_use")
        ]
