"""May this credential upload to this project? Asked as soon as the project's name is known.

The credential itself has been judged before (`credentials/judge.py`). Here: the caveats that name projects, the
owner's role, and whether index and project take uploads; all before anything about the upload itself is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from sealstead.server.accounts.models import User
from sealstead.server.config import Config
from sealstead.server.index.models import IndexState, Project
from sealstead.server.index.multipart import Fields
from sealstead.server.index.names import normalize_name
from sealstead.server.index.permissions import Permission, require_role
from sealstead.server.index.states import require_open_for_upload
from sealstead.server.index.upload_errors import UploadTooLargeError
from sealstead.server.index.upload_rows import find_project, index_state
from sealstead.server.index.upload_standing import file_limit, too_large


class Grant(Protocol):
    """What the gate asks of a judged credential (`credentials.judge.UploadGrant`)."""

    @property
    def owner(self) -> User: ...

    @property
    def credential_id(self) -> UUID: ...

    def require_project(self, normalized_name: str, project_id: UUID | None) -> None: ...

    def require_unrevoked(self) -> None: ...


@dataclass(kw_only=True)
class Gate:
    grant: Grant
    config: Config
    project: Project | None = None
    """As it was when last judged."""
    name: str = ""
    """The name last judged, as sent."""
    filename: str = ""
    """Of the content, once it began."""
    _judged: set[str] = field(default_factory=set)
    _state: IndexState = field(default_factory=IndexState)

    def limit(self, fields: Fields, filename: str) -> int:
        """Judge the name if it is among the fields so far, and return the largest file."""
        self.filename = filename
        if fields.get("name"):
            self.judge(fields)
        return file_limit(self.project, self.config)

    def judge(self, fields: Fields) -> Project | None:
        """Return the project the fields name, or None for a new one.

        Every value of a repeated name is judged: which one counts is not the sender's choice.

        Raises:
            CaveatNotMetError, UploadNotAllowedError, UploadsClosedError
        """
        for name in fields.get("name") or [""]:
            if name not in self._judged:
                self.name = name
                self.project = self.admit(name)
                self._judged.add(name)
        return self.project

    def admit(self, name: str) -> Project | None:
        """Judge one name. The state of the index is read here and holds for the rest of the upload."""
        self._state = index_state()
        return self._admitted(name, lock=False)

    def readmit(self, name: str) -> Project | None:
        """Judge credential and name again inside the transaction that writes; others cannot change the project then."""
        self.grant.require_unrevoked()
        return self._admitted(name, lock=True)

    def _admitted(self, name: str, *, lock: bool) -> Project | None:
        normalized = normalize_name(name)
        project, role = find_project(normalized, self.grant.owner.pk, lock=lock)
        self.grant.require_project(normalized, project.pk if project is not None else None)
        if project is not None:
            require_role(role, self.grant.owner, project, Permission.UPLOAD)
        require_open_for_upload(project, self._state)
        return project

    def too_large(self, fields: Fields) -> UploadTooLargeError:
        name = self.project.name if self.project is not None else (fields.get("name") or [""])[0]
        return too_large(name, file_limit(self.project, self.config))
