"""Signing keys with their certificates, and who may use which.

A row is one key. It is bound to one profile for ever (DESIGN §8): the seal of the key names the profile, and the
certificate and its chain by their hashes, so that neither can be exchanged by who writes the database alone. States follow from the
columns: without `certificate` the row waits for its issued chain (`csr`), a minisign key has `public_key` instead.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from sealstead.server.credentials.key_scope import normal_label as normalize_label

__all__ = ["Certificate", "Grant", "Profile", "SignRequest", "normalize_label"]


class Profile(models.TextChoices):
    """What a key makes, and nothing else."""

    AUTHENTICODE = "authenticode"
    CMS_DETACHED = "cms-detached"
    MINISIGN = "minisign"


class Certificate(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    alias = models.CharField(max_length=200, unique=True)
    """The administrator's name for this one row, `Harbour Ltd (2027-03-01)` unless told otherwise."""
    label = models.CharField(max_length=100, blank=True)
    """What scripts name. Rows may share it: at a renewal the newest valid enabled granted one is used."""
    label_key = models.CharField(max_length=100, blank=True)
    """`normalize_label(label)`; written with it (`set_label`)."""
    profile = models.CharField(max_length=16, choices=Profile.choices)
    key_uri = models.CharField(max_length=500)
    """Where the private key is: `sealed:` in this row, else as `custody/locate.py` reads it."""
    sealed_key = models.BinaryField(null=True)
    """PKCS#8 under the master key. None when the key is elsewhere, or was destroyed."""
    certificate = models.BinaryField(null=True)
    """DER. None while the issued certificate is awaited, and for minisign."""
    chain = models.JSONField(default=list)
    """Issuers, nearest first, each base64 of DER; the root need not be among them."""
    csr = models.BinaryField(null=True)
    """DER of the request, while its certificate is awaited."""
    public_key = models.CharField(max_length=80, blank=True)
    """The second line of a minisign public key file."""
    subject = models.CharField(max_length=1000, blank=True)
    """RFC 4514."""
    issuer = models.CharField(max_length=1000, blank=True)
    serial = models.CharField(max_length=64, blank=True)
    """Lower hex."""
    thumbprint = models.CharField(max_length=40, blank=True)
    """SHA-1 of the certificate, upper hex, as Windows shows it; a name, not a proof."""
    thumbprint_sha256 = models.CharField(max_length=64, blank=True)
    key_sha256 = models.CharField(max_length=64)
    """SHA-256 of the public key (SubjectPublicKeyInfo), lower hex: the same key is never bound to two profiles."""
    algorithm = models.CharField(max_length=20)
    """`RSA-3072`, `P-256`, `Ed25519`."""
    not_before = models.DateTimeField(null=True)
    not_after = models.DateTimeField(null=True)
    """Exclusive here, as every end in this product. None: never (minisign)."""
    is_test = models.BooleanField(default=False)
    """Made by the built-in test authority: nobody trusts it who was not told to."""
    is_root = models.BooleanField(default=False)
    """The test authority itself: it signs certificates of ours, and is never chosen to sign anything else."""
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["label_key"], name="certificate_label"),
            models.Index(fields=["thumbprint"], name="certificate_thumbprint"),
            models.Index(fields=["key_sha256"], name="certificate_key"),
            models.Index(fields=["not_after"], name="certificate_not_after"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["is_root"], condition=Q(is_root=True), name="certificate_one_test_authority"
            ),
        ]

    def set_label(self, label: str) -> None:
        self.label, self.label_key = label.strip(), normalize_label(label)

    @property
    def awaits_chain(self) -> bool:
        """Whether the request was made and its certificate has not come yet."""
        return self.certificate is None and self.csr is not None


class Grant(models.Model):
    """`user` may sign with `certificate`. Administrators need none: they may use every one."""

    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="certificate_grants"
    )
    granted_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["certificate", "user"], name="certificate_grant_once")
        ]


class SignRequest(models.Model):
    """A request to sign that named itself (`Idempotency-Key`): a repeat gets the same answer, another is refused."""

    mark = models.CharField(max_length=64, primary_key=True)
    """SHA-256 of the credential's id and the idempotency key, lower hex."""
    request = models.CharField(max_length=64)
    """SHA-256 of what was asked, lower hex."""
    answer = models.BinaryField()
    """What was answered: JSON, compressed (`records.pack`). Signatures and certificates are public."""
    expires_at = models.DateTimeField(db_index=True)
