"""Which keys a profile vouches for, from its statements alone: the retiring ones, and the revoked ones.

Rules:
  * the profile's public key is believed, and so is a key that a rotation, signed by both, leads from to a believed
    key: until the end that the rotation names (exclusive), never past the end of its successor, and for at most
    `MAX_OVERLAP` after the rotation. Whoever has an old key alone can therefore add no key and lengthen no end;
  * a revocation counts when the revoked key itself signed it, or the profile's public key. So a thief of a
    retired key can revoke that key and no other. A key's successor signs what it took over anew when it takes over;
  * a revoked key is believed no more from the moment that the revocation names, whatever else the profile says;
  * a statement that does not verify counts for nothing and is told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from sealstead.errors import ParseError, VerificationError
from sealstead.formats.minisign import PublicKey, SecretKey, parse_public_key
from sealstead.formats.profile_schema import Profile
from sealstead.formats.statement import Revocation, Rotation, Statement, make_revocation, verify_statement
from sealstead.lifecycle.policy import MAX_OVERLAP


class Believed(NamedTuple):
    """A key that claims of a profile may be signed with."""

    key: PublicKey
    retires_at: datetime | None
    """None: the profile's own key, which has no end."""


class Statements(NamedTuple):
    """What a profile states, checked."""

    rotations: tuple[Rotation, ...]
    revocations: tuple[Revocation, ...]
    problems: tuple[str, ...]


def profile_key(profile: Profile) -> PublicKey | None:
    """Return the public key that a profile names; None if it names none, or what it names is no key."""
    try:
        return parse_public_key(profile.verification.public_key)
    except ParseError:
        return None


def read_statements(profile: Profile) -> Statements:
    """Return the statements of a profile that verify, and why the others do not."""
    verified: list[Statement] = []
    problems: list[str] = []
    for number, text in enumerate(profile.verification.statements, start=1):
        try:
            verified.append(verify_statement(text))
        except (ParseError, VerificationError) as exc:
            problems.append(f"statement {number} counts for nothing: {exc.message}")
    return Statements(
        tuple(each for each in verified if isinstance(each, Rotation)),
        tuple(each for each in verified if isinstance(each, Revocation)),
        tuple(problems),
    )


def believed_keys(profile: Profile, at: datetime) -> list[PublicKey]:
    """Return the keys that claims may be signed with at `at`: the profile's own first, then the retiring ones."""
    return [each.key for each in believed(profile, at)]


def believed(profile: Profile, at: datetime, *, own_vouches: bool = False) -> list[Believed]:
    """As `believed_keys`, with the end of each. `own_vouches`: as if the profile's own key were not revoked."""
    own = profile_key(profile)
    if own is None:
        return []
    stated = read_statements(profile)
    revoked = {each.key.key for each in _revocations(stated, own) if each.revoked_at <= at}
    if own_vouches:
        revoked.discard(own.key)
    found: dict[PublicKey, Believed] = {own: Believed(own, None)}
    # Breadth first from the profile's own key; each key once, so a ring of statements ends.
    queue = [found[own]]
    for successor in queue:
        # A revoked key vouches for nobody.
        if successor.key.key in revoked:
            continue
        for each in _predecessors(stated.rotations, successor, at):
            if each.key not in found:
                found[each.key] = each
                queue.append(each)
    return [each for each in found.values() if each.key.key not in revoked]


def shortened(before: Profile, after: Profile, at: datetime) -> list[tuple[Believed, datetime]]:
    """Return the retiring keys that `after` believes for less long than `before` did, and their new ends."""
    ends = {each.key: each.retires_at for each in believed(after, at)}
    return [
        (each, end)
        for each in believed(before, at)
        if each.retires_at is not None
        # None: it is the profile's own key now, and without an end.
        and (end := ends.get(each.key, at)) is not None
        and end < each.retires_at
    ]


def find_revocation(profile: Profile, key: PublicKey, at: datetime | None = None) -> Revocation | None:
    """Return the earliest revocation of `key` that counts for this profile; with `at`, only if it is in force then."""
    found = [
        each
        for each in _revocations(read_statements(profile), profile_key(profile))
        if each.key.key == key.key and (at is None or each.revoked_at <= at)
    ]
    return min(found, key=lambda each: each.revoked_at, default=None)


def known_keys(profile: Profile) -> list[PublicKey]:
    """Return every key that the profile names, in whatever role: to find one by its id."""
    own = profile_key(profile)
    stated = read_statements(profile)
    keys = [own] if own else []
    for rotation in stated.rotations:
        keys += [rotation.predecessor, rotation.successor]
    for revocation in stated.revocations:
        keys += [revocation.key, revocation.signer]
    return list(dict.fromkeys(keys))


def carried_over(profile: Profile, successor: SecretKey, *, at: datetime) -> tuple[str, ...]:
    """Return the statements for a profile whose key is now `successor`.

    Revocations that counted because the profile's key had signed them are signed anew, or they would be lost with it.
    What does not verify stays as it is: it is not ours to clear away.
    """
    own = profile_key(profile)
    kept: list[str] = []
    for text in profile.verification.statements:
        try:
            statement = verify_statement(text)
        except (ParseError, VerificationError):
            kept.append(text)
            continue
        by_own_key = (
            isinstance(statement, Revocation)
            and statement.signer == own
            and statement.key != statement.signer
        )
        if isinstance(statement, Revocation) and by_own_key:
            kept.append(
                make_revocation(
                    successor,
                    statement.key,
                    issued_at=at,
                    revoked_at=statement.revoked_at,
                    reason=statement.reason,
                )
            )
        else:
            kept.append(text)
    return tuple(kept)


def _predecessors(rotations: tuple[Rotation, ...], successor: Believed, at: datetime) -> Iterator[Believed]:
    newest: dict[PublicKey, Rotation] = {}
    for rotation in sorted(rotations, key=lambda each: (each.issued_at, -each.retires_at.timestamp())):
        if rotation.successor == successor.key and rotation.issued_at <= at:
            newest[rotation.predecessor] = rotation
    for rotation in newest.values():
        ends = [rotation.retires_at, rotation.issued_at + MAX_OVERLAP]
        if successor.retires_at is not None:
            ends.append(successor.retires_at)
        if at < min(ends):
            yield Believed(rotation.predecessor, min(ends))


def _revocations(stated: Statements, own: PublicKey | None) -> Iterator[Revocation]:
    counts: Callable[[Revocation], bool] = lambda each: each.signer in (each.key, own)  # noqa: E731
    return filter(counts, stated.revocations)
