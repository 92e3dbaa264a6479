"""Say that a key is not to be believed any more: in the profile, signed by the key or by the one that stands for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sealstead.errors import InputError, KeyUnavailableError, ParseError
from sealstead.formats.minisign import PublicKey, SecretKey
from sealstead.formats.profile_edit import edit_profile
from sealstead.formats.profile_toml import parse_profile
from sealstead.formats.statement import Reason, Revocation, make_revocation
from sealstead.identity.change import Change, FileChange, carry_out
from sealstead.identity.history import broken_promise, retiring_entries
from sealstead.identity.keyslots import find_key
from sealstead.identity.lookup import find_by_id
from sealstead.identity.places import FoundKey, KeyPlaces, NoKeyError, index_entries, public_beside
from sealstead.identity.profile import ProfileFile, ProfileUnreadableError
from sealstead.identity.statements import find_revocation, profile_key, shortened
from sealstead.lifecycle.journal import Phase
from sealstead.record import Record, replace

CLOCK_SKEW = timedelta(minutes=10)


class RevocationDateError(InputError):
    """A revocation holds from a moment that has come."""

    code = "revocation-date"


class NobodyToSignError(KeyUnavailableError):
    """Neither the key itself nor the profile's key is here to sign the revocation."""

    code = "nobody-to-sign"


class Revoked(Record):
    key: PublicKey
    signer: PublicKey | None
    """None: `dry_run`, and not known yet."""
    own_word: bool
    """The revoked key signed for itself: this holds whatever key the profile names later."""
    profile_path: Path
    was_profile_key: bool
    revoked_at: datetime
    reason: Reason
    warnings: tuple[str, ...] = ()
    dry_run: bool = False


class Order(Record):
    key: PublicKey
    profile: ProfileFile
    reason: Reason
    revoked_at: datetime


def find_signer(places: KeyPlaces, order: Order, *, identity: str) -> FoundKey:
    """Return the secret key that will sign: the revoked key itself, else the one that the profile names.

    Raises:
        NobodyToSignError: neither is here.
    """
    try:
        found = find_by_id(places, order.key.id)
        if found.public == order.key:
            return found
    except NoKeyError:
        pass
    named = profile_key(order.profile.profile)
    for wanted in (order.key, named):
        if wanted is None:
            continue
        try:
            found = find_key(places, identity, wanted=wanted, anywhere=True)
        except (NoKeyError, KeyUnavailableError, ParseError):
            continue
        if found.public == wanted:
            return found
    raise NobodyToSignError(
        f"neither key {order.key.id} nor the key of {order.profile.name} is here to sign",
        hint="key-recover puts a key into the profile that can say it",
    )


def check_order(order: Order, *, at: datetime) -> None:
    """Refuse what says nothing sensible.

    Raises:
        RevocationDateError, ProfileUnreadableError: as they say.
    """
    if order.revoked_at > at + CLOCK_SKEW:
        raise RevocationDateError(
            "the moment of the revocation has not come", hint="leave --since out: it holds from now on"
        )
    if order.profile.installed:
        raise ProfileUnreadableError(
            f"{order.profile.path} belongs to an installed distribution",
            hint="change the source it is built from",
        )


def known_revocation(order: Order) -> Revocation | None:
    """Return what the profile says already, if the order would say nothing new."""
    known = find_revocation(order.profile.profile, order.key)
    return known if known is not None and known.revoked_at <= order.revoked_at else None


def preview(order: Order, signer: FoundKey, *, at: datetime) -> Revoked:
    check_order(order, at=at)
    return Revoked(
        key=order.key,
        signer=signer.public,
        own_word=signer.public == order.key,
        profile_path=order.profile.path,
        was_profile_key=profile_key(order.profile.profile) == order.key,
        revoked_at=order.revoked_at,
        reason=order.reason,
        dry_run=True,
    )


def revoke(
    places: KeyPlaces,
    order: Order,
    signer: FoundKey,
    *,
    at: datetime,
    open_key: Callable[[FoundKey], SecretKey],
) -> Revoked:
    """Sign the revocation and put it into the profile. No key is destroyed or moved.

    The caller holds the directory's lock and has called `recover_pending`.

    Raises:
        RevocationDateError, ProfileUnreadableError: as `check_order`.
        PassphraseNeededError, WrongPassphraseError, OtherKeyError: the signing key does not open.
        ChangeConflictError, ChangeUnfinishedError, WriteFailedError: as `change.carry_out`.
    """
    check_order(order, at=at)
    key = open_key(signer)
    if key.public not in (order.key, profile_key(order.profile.profile)):
        raise NobodyToSignError(f"key {key.public.id} does not stand for key {order.key.id}")
    statement = make_revocation(
        key, order.key, issued_at=at, revoked_at=order.revoked_at, reason=order.reason
    )
    profile = order.profile
    text = edit_profile(
        profile.text,
        table=profile.table,
        statements=(*profile.profile.verification.statements, statement),
        source=profile.name,
    )
    after = parse_profile(text.encode(), table=profile.table, source=profile.name)[0]
    short = [(each, end) for each, end in shortened(profile.profile, after, at) if each.key != order.key]
    entries = (
        *(
            replace(entry, revoked_at=order.revoked_at)
            for entry in index_entries(places)
            if entry.public_key == order.key.line
        ),
        *retiring_entries(places, {each.key: end for each, end in short}),
    )
    facts = {
        "key": order.key.line,
        "signer": key.public.line,
        "profile": str(profile.path),
        "revoked_at": order.revoked_at.isoformat(),
        "reason": order.reason.value,
        "was_profile_key": profile_key(profile.profile) == order.key,
    }
    warnings = carry_out(
        places,
        Change(
            command="key-revoke",
            identity=signer.identity,
            files=(
                FileChange(
                    path=profile.path,
                    content=text.encode(),
                    phase=Phase.COMMIT,
                    expected=profile.data,
                    checked=True,
                ),
                *(
                    FileChange(
                        path=places.directory.revocation_path(name, order.key.id),
                        content=statement.encode(),
                    )
                    for name in _identities_of(places, order.key, signer)
                ),
            ),
            index=entries,
            facts=facts,
        ),
    )
    return Revoked(
        key=order.key,
        signer=key.public,
        own_word=key.public == order.key,
        profile_path=profile.path,
        was_profile_key=profile_key(profile.profile) == order.key,
        revoked_at=order.revoked_at,
        reason=order.reason,
        warnings=(*(broken_promise(each, end, at) for each, end in short), *warnings),
    )


def _identities_of(places: KeyPlaces, key: PublicKey, signer: FoundKey) -> list[str]:
    """Return whose key it is, as far as anything here tells; else whose key signs."""
    names = [entry.identity for entry in index_entries(places) if entry.public_key == key.line]
    names += [name for name in places.directory.identities() if public_beside(places, name) == key]
    return list(dict.fromkeys(names)) or [signer.identity]
