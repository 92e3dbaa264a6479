"""Makers of database rows for in-process tests: dull, valid, unique."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from packaging.utils import canonicalize_name

from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin
from sealstead.server.index.models import File, Project, Release, Role, RoleName

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ORIGIN = Origin(ip="192.0.2.7", user_agent="tests/1", request_id="req-1")

_numbers = itertools.count(1)


def make_user(username: str = "", *, password: str = "correct horse battery", **values: object) -> User:
    """Insert an account whose primary e-mail address is verified."""
    from allauth.account.models import EmailAddress

    username = username or f"user{next(_numbers)}"
    email = f"{username}@example.org"
    user = User.objects.create_user(username, email, password, **values)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def make_project(name: str = "", *, owner: User | None = None, maintainers: tuple[User, ...] = ()) -> Project:
    name = name or f"project-{next(_numbers)}"
    normalized = str(canonicalize_name(name))
    project = Project.objects.create(
        name=name, normalized_name=normalized, confusable_name=normalized.replace("-", ""), created_at=NOW
    )
    if owner is not None:
        Role.objects.create(project=project, user=owner, role=RoleName.OWNER, added_at=NOW)
    for user in maintainers:
        Role.objects.create(project=project, user=user, role=RoleName.MAINTAINER, added_at=NOW)
    return project


def make_release(project: Project, version: str = "1.0", *, files: int = 1) -> Release:
    release = Release.objects.create(
        project=project, version=version, canonical_version=version, created_at=NOW
    )
    for number in range(files):
        File.objects.create(
            release=release,
            filename=f"{project.normalized_name}-{version}-{number}-py3-none-any.whl",
            filetype="bdist_wheel",
            size=10,
            sha256=f"{next(_numbers):064x}",
            blake2b=f"{next(_numbers):064x}",
            md5="0" * 32,
            uploaded_at=NOW,
        )
    return release
