"""Accounts. Passwords, e-mail addresses and second factors are allauth's rows; ours are the user and what
several workers must agree on: sessions, attempts, one-time marks.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    language = models.CharField(max_length=16, blank=True)
    """Chosen language; blank follows `Accept-Language`."""
    temporary_password_until = models.DateTimeField(null=True)
    """Set while the password is one that an administrator was shown: it dies then, and opens one page (`temporary.py`)."""

    class Meta(AbstractUser.Meta):
        constraints: ClassVar = [
            # `Alice` must not be able to pass for `alice`.
            models.UniqueConstraint(Lower("username"), name="user_name_once")
        ]


class Session(models.Model):
    """A browser's session. The cookie holds the key; this row holds its hash and sealed contents (`sessions.py`)."""

    handle = models.CharField(max_length=64, primary_key=True)
    """SHA-256 of the key, lower hex. The key has 165 random bits, so the hash needs neither salt nor stretching."""
    sealed = models.BinaryField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions"
    )
    """Who is signed in. For lists and for ending sessions; what counts is in the sealed contents."""
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)


class Attempts(models.Model):
    """How often something was tried in the current window (`limits.py`)."""

    bucket = models.CharField(max_length=64, primary_key=True)
    """SHA-256 of the bucket's name: the names hold addresses and what people typed as their user name."""
    count = models.BigIntegerField()
    ends_at_us = models.BigIntegerField(db_index=True)
    """End of the window, microseconds of Unix time: an integer compares alike in every database."""


class OneTimeMark(models.Model):
    """Something that was used and may not be used again (`marks.py`)."""

    mark = models.CharField(max_length=64, primary_key=True)
    """SHA-256 of purpose and value."""
    expires_at_us = models.BigIntegerField(db_index=True)
    """From here on the thing is refused for its age, and the row may go."""


class RecoveryCode(models.Model):
    """One of the codes that stand in for a lost second factor (`recovery.py`)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    digest = models.CharField(max_length=64)
    """HMAC-SHA-256 under a key derived from the master key, lower hex."""
    key_id = models.CharField(max_length=16)
    """Master key of `digest`."""
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")
        ]


class SignCounter(models.Model):
    """The highest signature counter a security key has shown (WebAuthn level 2, section 7.2, step 21)."""

    authenticator = models.OneToOneField("mfa.Authenticator", primary_key=True, on_delete=models.CASCADE)
    count = models.BigIntegerField()


class MailSwitch(models.Model):
    """A kind of mail that an account holder does not want (`mail_kinds.py`). No row: wanted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_switches")
    kind = models.CharField(max_length=40)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "kind"], name="mail_switch_once")]
