"""Accounts. Passwords, e-mail addresses and second factors are allauth's rows; ours is the user."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    language = models.CharField(max_length=16, blank=True)
    """Chosen language; blank follows `Accept-Language`."""
