"""`rotate-key`: bring the successor of an API key to every place where it is to go, whatever happens in between.

  1. everything that can be refused without the server is refused first: above all, a key that would go nowhere;
  2. the new key is made here and staged (`staged_key`);
  3. the server learns its id and hash, and makes it the successor;
  4. the key is written: files first, then what the build server reads;
  5. the staged record is removed; where the key went to standard output only, by the run that comes with it.

A run that finds a record goes on with it: the same request again, proved with the old key or, once that has ended, with
the new one. So a lost answer never makes a second successor, and a working key is on this disk at every moment.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from sealstead.codesign import staged_key
from sealstead.codesign.key_sources import FoundKey
from sealstead.codesign.key_targets import KeyTarget, KeyWriteError, locked_targets, make_parents, sweep
from sealstead.codesign.server_errors import (
    ApiKeyNotAllowedError,
    ApiKeyRefusedError,
    Refusal,
    RequestRejectedError,
    ServerConflictError,
)
from sealstead.codesign.server_values import KeyInfo, Rotated
from sealstead.codesign.staged_key import StagedKey
from sealstead.errors import ConflictError, InputError, SealsteadError
from sealstead.formats.api_key_text import make_api_key
from sealstead.secret import Secret

_DEFINITE = (ApiKeyNotAllowedError, RequestRejectedError, ServerConflictError)
"""Refusals that another attempt would meet again."""


class NowhereToGoError(InputError):
    """The new key would be written nowhere, and the server would never show it again."""

    code = "nowhere-to-go"


class RotatedMeanwhileError(ConflictError):
    """While this run waited, another one replaced the key."""

    code = "rotated-meanwhile"


class OtherRotationError(ConflictError):
    """The rotation of another key was left behind at the place where this one's would be staged."""

    code = "other-rotation"


class Server(Protocol):
    """What of `ServerApi` is needed here."""

    def key_info(self, *, key: Secret[str] | None = None) -> KeyInfo: ...

    def rotate(
        self,
        *,
        key_id: str,
        secret_sha256: str,
        overlap: timedelta | None,
        auto_revoke: bool,
        idempotency_key: str,
        key: Secret[str] | None = None,
    ) -> Rotated: ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    targets: Sequence[KeyTarget]
    emits: bool
    """The key goes to standard output, too, or only there."""
    overlap: timedelta | None
    """None: what the server's policy proposes."""
    auto_revoke: bool
    state: Path
    """Directory for what is pending and has no file to stand beside."""
    force: bool = False
    if_expiring_within: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    info: KeyInfo
    """Of the new key; of the old one where nothing was rotated."""
    rotated: bool
    resumed: bool = False
    """An interrupted rotation was brought to its end."""


def check_plan(plan: Plan, found: FoundKey) -> None:
    """Refuse what can be refused before the server is asked, and make missing directories.

    Raises:
        NowhereToGoError: no target, and nothing is emitted.
        InsideGitTreeError, TargetError, KeyWriteError, UnsafeFileError: as `KeyTarget.check`.
    """
    check_destination(plan)
    for target in plan.targets:
        # The file that the key was read from is where it is; to ask git about it would come too late.
        target.check(force=plan.force or target.path == found.path)
    if not plan.targets:
        place = staged_key.staged_in_state(plan.state, found.text)
        make_parents(place.parent)
        make_parents(place)


def check_destination(plan: Plan) -> None:
    """Raises NowhereToGoError: no target, and nothing is emitted."""
    if not plan.targets and not plan.emits:
        raise NowhereToGoError(
            "the new key would go nowhere",
            hint="give --write-key-file, --write-env-file or --emit-secret",
        )


def rotate(
    plan: Plan,
    found: FoundKey,
    server: Server,
    *,
    reread: Callable[[], FoundKey],
    emit: Callable[[Secret[str], str], None],
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Outcome:
    """Carry `plan` out; `check_plan` has been called. `reread` finds the key again once the locks are held.

    Raises:
        RotatedMeanwhileError, OtherRotationError, StagedKeyError: as they say.
        What `ServerApi` raises. Unless the server refused for good, the rotation stays staged and the next run ends it.
    """
    places = _places(plan, found)
    with locked_targets(places):
        if reread().text.reveal() != found.text.reveal():
            raise RotatedMeanwhileError(
                "another process has just replaced the key",
                hint="run it again if it is to be rotated once more",
            )
        for path in (*places, *(target.path for target in plan.targets)):
            sweep(path)
        staged = _left_behind(plan, found, server, places)
        if staged is not None and staged.delivered and staged.is_of(found.text):
            staged.remove()  # the build server has it: what it was kept for
            staged = None
        resumed = staged is not None
        if staged is None:
            if plan.if_expiring_within is not None:
                info = server.key_info()
                left = info.expires_in_seconds
                if left is None or left > plan.if_expiring_within.total_seconds():
                    return Outcome(info=info, rotated=False)
            staged = _stage(plan, found, places[0], random_bytes)
        info = _ask(staged, found, server)
        with _kept(staged):
            for target in plan.targets:
                target.write(staged.key.text)
            emit(staged.key.text, staged.key.id)
            if plan.targets:
                staged.remove()
            else:
                staged.keep_until_used()
        return Outcome(info=info, rotated=True, resumed=resumed)


def _places(plan: Plan, found: FoundKey) -> list[Path]:
    """Return where a record may stand: the first is where a new one goes."""
    places = [staged_key.staged_beside(target.path) for target in plan.targets]
    if found.path is not None and os.access(found.path.parent, os.W_OK):
        places.append(staged_key.staged_beside(found.path))
    if not plan.targets:
        places.insert(0, staged_key.staged_in_state(plan.state, found.text))
    return list(dict.fromkeys(places))


def _left_behind(plan: Plan, found: FoundKey, server: Server, places: Sequence[Path]) -> StagedKey | None:
    """Return the rotation to go on with."""
    pending = staged_key.pending_of(plan.state, found.text)
    if pending is not None:
        return pending
    try:
        staged = staged_key.find_staged(places)
    except staged_key.StagedKeyError:
        if not plan.force:
            raise
        for place in places:
            place.unlink(missing_ok=True)
        return None
    if staged is None or staged.replaces(found.text) or staged.is_of(found.text):
        return staged
    # Somebody put another key in place. What is staged may still be good elsewhere: only the server knows.
    if not plan.force:
        with contextlib.suppress(ApiKeyRefusedError):
            info = server.key_info(key=staged.key.text)
            raise OtherRotationError(
                f"{staged.path} holds key {info.id}, the successor of another key, and it is good",
                hint="rotate with the key that it replaces, or give --force to throw it away",
            )
    staged.remove()
    return None


def _stage(plan: Plan, found: FoundKey, place: Path, random_bytes: Callable[[int], bytes]) -> StagedKey:
    staged = StagedKey(
        path=place,
        key=make_api_key(random_bytes),
        old_sha256=staged_key.fingerprint(found.text),
        idempotency_key=random_bytes(16).hex(),
        overlap=plan.overlap,
        auto_revoke=plan.auto_revoke,
    )
    try:
        staged.save()
    except OSError as exc:
        raise KeyWriteError(f"{place} cannot be written: {exc.strerror or exc}") from exc
    return staged


def _ask(staged: StagedKey, found: FoundKey, server: Server) -> KeyInfo:
    """Make the staged key the successor, or learn that it is."""

    def proved_by(key: Secret[str]) -> KeyInfo:
        return server.rotate(
            key_id=staged.key.id,
            secret_sha256=staged.key.secret_sha256,
            overlap=staged.overlap,
            auto_revoke=staged.auto_revoke,
            idempotency_key=staged.idempotency_key,
            key=key,
        ).key

    with _kept(staged):
        try:
            return proved_by(found.text)
        except ApiKeyRefusedError as refused:
            # With no overlap the old key ends with the answer, also with one that never arrived.
            try:
                return proved_by(staged.key.text)
            except ApiKeyRefusedError:
                staged.remove()
                raise refused from None
        except _DEFINITE as refused:
            # Still the server may have carried out what it refuses to repeat: the key itself is what tells.
            try:
                return server.key_info(key=staged.key.text)
            except ApiKeyRefusedError:
                staged.remove()
                raise _explained(refused) from None


def _explained(refused: SealsteadError) -> SealsteadError:
    if isinstance(refused, ServerConflictError):
        successor = refused.members.get("successor")
        named = f" ({successor})" if isinstance(successor, str) else ""
        refused.hint = (
            f"go on with the successor{named}; if nobody of yours has made it, somebody else holds the key: "
            "end the whole line on the server's page of API keys"
        )
    return refused


@contextlib.contextmanager
def _kept(staged: StagedKey) -> Iterator[None]:
    """Say of an error that the new key is not lost, where it is not."""
    try:
        yield
    except SealsteadError as exc:
        if staged.path.exists():
            more = f"the new key is kept in {staged.path}: run the same command again to finish"
            exc.hint = f"{exc.hint}; {more}" if exc.hint and not isinstance(exc, Refusal) else more
        raise
