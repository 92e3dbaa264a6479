"""What credentials need to know about projects: a port, for imports point from `index` to here.

`index` registers its directory in `AppConfig.ready`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sealstead.errors import NotFoundError
from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin


class UnknownProjectError(NotFoundError):
    """No such project, or the account may not upload to it."""

    code = "unknown-project"

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown or invalid project name: {name[:100]}")


@dataclass(frozen=True, kw_only=True)
class ProjectRef:
    id: UUID
    name: str
    normalized_name: str


class ProjectDirectory(Protocol):
    def uploadable_by(self, user: User) -> Sequence[ProjectRef]:
        """Return the projects `user` may upload to, by name."""

    def find(self, name: str) -> ProjectRef | None:
        """Return the living project that `name`, in any spelling, names."""

    def reserve(self, name: str, *, owner: User, at: datetime, origin: Origin) -> ProjectRef:
        """Create a project without releases, owned by `owner`, by the rules of a first upload.

        Raises:
            SealsteadError: the name is not allowed, taken, or too similar to another.
        """


_directory: list[ProjectDirectory] = []


def register(directory: ProjectDirectory) -> None:
    _directory[:] = [directory]


def project_directory() -> ProjectDirectory:
    return _directory[0]


def resolve_project(name: str, *, user: User) -> ProjectRef:
    """Return the project of that name if `user` may upload to it.

    Raises:
        UnknownProjectError: it does not exist, or is not the user's.
    """
    directory = project_directory()
    found = directory.find(name)
    if found is None or found.id not in {one.id for one in directory.uploadable_by(user)}:
        raise UnknownProjectError(name)
    return found
