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
    scope = models.JSONField(default=dict)
    """What was picked: `{"projects": {"normalised-name": "project id", ...}}` or `{"all_projects": true}`. Shown,
    copied by rotation, and enforced through the caveats the token itself carries. The seal binds it
    (`seal.py`), so editing this column widens nothing and ends the credential."""
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
    revoked_at = models.DateTimeField(null=True)
    revoke_reason = models.CharField(max_length=200, blank=True)
    sealed_root = models.BinaryField(null=True)
    """Root key under the master key; destroyed on revocation, so clearing `revoked_at` revives nothing."""
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
