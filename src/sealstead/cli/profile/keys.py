"""`key-info` and `key-list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sealstead.cli import output
from sealstead.cli.options import json_option
from sealstead.cli.profile.context import KeyContext, open_context
from sealstead.cli.profile.options import (
    interactive_option,
    key_option,
    key_options,
    password_options,
)

if TYPE_CHECKING:
    from sealstead.formats.minisign_key import PublicKey
    from sealstead.identity.keyslots import FoundKey
    from sealstead.identity.listing import ListedKey


@click.command(
    "key-info",
    epilog="""\b
Examples:
  pypi-profile key-info
  pypi-profile key-info --keyring-identity work --json

Exit code 3: there is no key. An encrypted key is opened only if its passphrase is given.
""",
)
@key_options
@key_option
@password_options
@interactive_option
@json_option
def key_info(*, as_json: bool, **options: Any) -> None:
    """Show the key that `sign` would use here."""
    # A key that is named by its identity is known without the profile.
    context = open_context(**options, tolerant=options["keyring_identity"] is not None)
    show_info(context, context.current_key(), as_json=as_json)


def show_info(context: KeyContext, found: FoundKey, *, as_json: bool) -> None:
    """Write what there is to know of a key."""
    from sealstead.identity.listing import describe, moment

    public = _public(context, found)
    listed = _as_stated(context, describe(context.places, found, public, context.at))
    binding = _binding(context, public)
    if as_json:
        output.document(
            {
                "not_found": False,
                "identity": found.identity,
                "source": found.source,
                "path": str(found.path) if found.path else None,
                "key_id": public.id if public else None,
                "public_key": public.line if public else None,
                "generated": moment(listed.created_at),
                "state": str(listed.state),
                "revoked_at": moment(listed.revoked_at),
                "stored": list(listed.stored),
                "encrypted": found.file.encrypted,
                "profile_binding": binding,
            }
        )
        _tell_revoked(listed)
        return
    output.facts(
        [
            ("identity", found.identity),
            ("key id", public.id if public else "unknown while it is encrypted"),
            ("state", str(listed.state)),
            ("created", moment(listed.created_at) or "unknown"),
            ("stored", f"{' and '.join(listed.stored)}{f' ({found.path})' if found.path else ''}"),
            ("encrypted", "yes" if found.file.encrypted else "no"),
            ("public key", public.line if public else "unknown while it is encrypted"),
            ("profile", binding),
        ]
    )
    _tell_revoked(listed)
    _tell_step(context, found)


def _as_stated(context: KeyContext, key: ListedKey) -> ListedKey:
    """Return the key as revoked where the profile here says that it is, and the key directory does not know."""
    profile = context.profile.profile if context.profile else None
    if profile is None or not profile.verification.statements or key.public is None:
        return key
    from sealstead.custody.key_index import KeyState
    from sealstead.identity.standing import revoked_since
    from sealstead.record import replace

    moment = revoked_since(profile, (), key.public, context.at)
    return replace(key, state=KeyState.REVOKED, revoked_at=moment) if moment is not None else key


def _tell_revoked(key: ListedKey) -> None:
    """Say what there is to do about a revoked key that nothing has replaced: what `sign` says that refuses it."""
    if (
        key.public is None
        or key.state != "revoked"
        or key.archived_at is not None
        or key.path.suffix == ".bak"
    ):
        return
    from sealstead.identity.sign_claim import revoked_error

    error = revoked_error(key.public, key.revoked_at) if key.revoked_at else None
    if error is not None:
        output.warning(f"{error.message} ({error.hint})")


def _tell_step(context: KeyContext, found: FoundKey) -> None:
    """Say whose key this is where it is not the profile's own, and how the profile comes to name one."""
    file = context.profile
    if file is None or found.source == "explicit" or file.profile.verification.public_key.strip():
        return
    from sealstead.identity.key_step import key_step

    if found.identity != context.identity:
        output.note(f"{context.identity} has no key: here sign uses the one of {found.identity}")
    if not context.identity_named:
        output.note(f"the profile names no key: {key_step(context.places, context.identity)}")


def _public(context: KeyContext, found: FoundKey) -> PublicKey | None:
    """Open the key if it does not tell by itself which it is, and a passphrase is at hand without asking.

    A passphrase that was given with an option is tried in any case: whoever gives it wants to know whether it fits.
    """
    asked = found.file.encrypted and context.passphrases.named
    if found.public is not None and not asked:
        return found.public
    passphrase = context.passphrases.given()
    return found.open(lambda: passphrase).public if passphrase is not None else None


def _binding(context: KeyContext, public: PublicKey | None) -> str:
    if context.profile is None:
        return "no profile TOML found"
    path = context.profile.path
    if not context.profile.profile.verification.public_key.strip():
        return "absent (no public_key in TOML)"
    if public is None:
        return f"unknown ({path})"
    return f"matches ({path})" if context.wanted == public else f"mismatch ({path})"


@click.command(
    "key-list",
    epilog="""\b
Examples:
  pypi-profile key-list
  pypi-profile key-list --check --json

States: active; retiring, replaced and believed until its end; archived; revoked. The keyring is asked only with
--check: without it, the list says what was stored there.
""",
)
@key_options
@click.option("--check", is_flag=True, help="Ask the keyring what it holds for each active key.")
@interactive_option
@json_option
def key_list(*, check: bool, as_json: bool, **options: Any) -> None:
    """List all keys: identity, state, age, where they are."""
    from sealstead.identity.listing import HELD, index_problem, list_keys, moment

    named = options["keyring_identity"]
    context = open_context(**options, tolerant=True)
    problem = index_problem(context.places)
    if problem is not None:
        output.warning(problem)
    keys = [_as_stated(context, key) for key in list_keys(context.places, context.at, ask_keyring=check)]
    if named is not None:
        keys = [key for key in keys if key.identity == context.identity]
    for key in keys:
        if key.problem:
            output.warning(f"{key.identity} {key.public.id if key.public else key.path.name}: {key.problem}")
    for key in keys:
        _tell_revoked(key)
    for reason in sorted({key.keyring for key in keys if key.keyring not in (None, *HELD)}, key=str):
        output.warning(f"the keyring was not asked: {reason}")
    if as_json:
        output.document([_row(context, key) for key in keys])
        return
    if not keys:
        output.note(f"no keys in {context.places.directory.path}; make one with keygen")
        return
    rows = [
        (
            key.identity,
            key.public.id if key.public else "unknown",
            _state(key),
            (moment(key.created_at) or "unknown")[:10],
            _where(key, check=check),
            _short_binding(context, key),
        )
        for key in keys
    ]
    output.table(("identity", "key id", "state", "created", "stored", "profile"), rows)


def _state(key: ListedKey) -> str:
    from sealstead.identity.listing import moment

    end = moment(key.retires_at)
    return f"{key.state} until {end[:10]}" if key.state == "retiring" and end else str(key.state)


def _where(key: ListedKey, *, check: bool) -> str:
    from sealstead.identity.listing import HELD

    places = "+".join(key.stored) or "gone"
    text = f"{places}{', encrypted' if key.encrypted else ''}"
    return f"{text} (keyring: {key.keyring})" if check and key.keyring in HELD else text


def _short_binding(context: KeyContext, key: ListedKey) -> str:
    if context.profile is not None and key.public is not None and context.wanted_or_none == key.public:
        return str(context.profile.path)
    return key.profile or "-"


def _row(context: KeyContext, key: ListedKey) -> dict[str, Any]:
    from sealstead.identity.listing import moment

    return {
        "identity_or_path": key.identity,
        "identity": key.identity,
        "key_id": key.public.id if key.public else None,
        "source": key.stored[0] if key.stored else None,
        "stored": list(key.stored),
        "public_key": key.public.line if key.public else None,
        "binding": _binding_word(context, key),
        "state": str(key.state),
        "created_at": moment(key.created_at),
        "retires_at": moment(key.retires_at),
        "archived_at": moment(key.archived_at),
        "revoked_at": moment(key.revoked_at),
        "successor": key.successor,
        "encrypted": key.encrypted,
        "path": str(key.path),
        "profile": key.profile,
        "keyring": key.keyring,
        "problem": key.problem,
    }


def _binding_word(context: KeyContext, key: ListedKey) -> str:
    if context.profile is None:
        return "no profile TOML found"
    if context.wanted_or_none is None:
        return "absent"
    return "matches" if key.public == context.wanted_or_none else "mismatch"
