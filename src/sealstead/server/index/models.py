"""Projects, roles, releases, distribution files, and the pages rendered from them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class ProjectState(models.TextChoices):
    """PEP 792."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    QUARANTINED = "quarantined"


class RoleName(models.TextChoices):
    OWNER = "owner"
    MAINTAINER = "maintainer"


class Project(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    """As first uploaded."""
    normalized_name = models.CharField(max_length=200, unique=True)
    """PEP 503."""
    confusable_name = models.CharField(max_length=200, unique=True)
    """Without `. _ -`, with l and i as 1 and o as 0: two projects never differ by these alone."""
    state = models.CharField(max_length=12, choices=ProjectState.choices, default=ProjectState.ACTIVE)
    state_reason = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField()
    serial = models.BigIntegerField(default=0)
    """Index serial of its last change."""
    summary = models.CharField(max_length=512, blank=True)
    deleted_at = models.DateTimeField(null=True)
    """A deleted project keeps its row: the name is burned."""
    max_file_bytes = models.BigIntegerField(null=True)
    """Raises the server's limit for this project."""
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Role", related_name="projects")


class Role(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="roles")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=12, choices=RoleName.choices)
    added_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["project", "user"], name="role_once")]


class Invitation(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=12, choices=RoleName.choices)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["project", "user"], name="invitation_once")]


class Release(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="releases")
    version = models.CharField(max_length=200)
    """As first uploaded."""
    canonical_version = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    yanked_at = models.DateTimeField(null=True)
    yanked_reason = models.CharField(max_length=400, blank=True)
    deleted_at = models.DateTimeField(null=True)
    metadata = models.JSONField(default=dict)
    """Core metadata of the first file, lower-snake names; what the JSON API and the project page show."""
    description_html = models.TextField(blank=True)
    """Rendered and sanitised once, when the release was made."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "canonical_version"],
                condition=Q(deleted_at__isnull=True),
                name="release_once",
            )
        ]


class File(models.Model):
    """A distribution file. Deleted files keep their row: a file name is never used twice."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    filename = models.CharField(max_length=300, unique=True)
    filetype = models.CharField(max_length=12)
    """`sdist` or `bdist_wheel`."""
    python_version = models.CharField(max_length=100, blank=True)
    requires_python = models.CharField(max_length=400, blank=True)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    blake2b = models.CharField(max_length=64, db_index=True)
    """BLAKE2b-256, lower hex: the name of the blob."""
    md5 = models.CharField(max_length=32)
    metadata_sha256 = models.CharField(max_length=64, blank=True)
    metadata_blake2b = models.CharField(max_length=64, blank=True)
    """Blob of METADATA (PEP 658), or blank."""
    comment = models.CharField(max_length=400, blank=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    credential_id = models.UUIDField(null=True)
    deleted_at = models.DateTimeField(null=True)


class IndexState(models.Model):
    """One row. `serial` counts committed changes of the index; `read_only` and its kin are the switches."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    serial = models.BigIntegerField(default=0)
    read_only = models.BooleanField(default=False)
    uploads_disabled = models.BooleanField(default=False)
    new_projects_disabled = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="index_state_one_row")]


class Page(models.Model):
    """A read-side page rendered for `serial`; rendered again at the first read after a change."""

    key = models.CharField(max_length=240, primary_key=True)
    """For example `simple:html:<name>` or `json:<name>`."""
    serial = models.BigIntegerField()
    body = models.BinaryField()
    etag = models.CharField(max_length=64)
