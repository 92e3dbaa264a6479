"""One event for every change of a credential and every accepted or refused use (DESIGN §2.6)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Event(models.Model):
    """An append-only fact. It names subjects by id and by the name they had, without foreign keys,
    so that deleting an account or a project never deletes its history.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    tag = models.CharField(max_length=64)
    """`noun:verb`, for example `upload-token:issued`; the catalogue is `audit/tags.py`."""
    accepted = models.BooleanField(default=True)
    code = models.CharField(max_length=64, blank=True)
    """For a refusal, the stable code of the error."""
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=150, blank=True)
    user_id = models.UUIDField(null=True)
    """The account it concerns (its own page shows the event); often the actor."""
    credential_id = models.UUIDField(null=True)
    project = models.CharField(max_length=200, blank=True)
    """Normalised name."""
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user_id", "-id"], name="event_user"),
            models.Index(fields=["actor_id", "-id"], name="event_actor"),
            models.Index(fields=["credential_id", "-id"], name="event_credential"),
            models.Index(fields=["project", "-id"], name="event_project"),
        ]
