"""Writes docs/reference/profile.md from the schema; a key without a meaning here stops it."""

from __future__ import annotations

from sealstead.formats.profile_schema import CHOICES, TABLES, Profile, keys_of, required_keys
from sealstead.record import defaults_of

HEAD = """\
# The profile

A profile says in one TOML file who somebody is, which pages are theirs, and with which key they sign. It is
`pypi_profile.toml`, or the table `[tool.pypi-profile]` in a `pyproject.toml` with the same tables below it. It is the file of the
tool `pypi-profile` 0.3.0: either program reads the other's.

Where both are in one directory, `pypi_profile.toml` counts and a warning says so. A command takes a path, a directory, or the
name of an installed distribution. UTF-8 only. Unknown keys are kept and warned of, with the nearest known one; an error names file,
line and column. When a command writes a key, a proof or a statement, not one other byte changes.

```toml
[profile]
kind = "individual"
display_name = "Ada Lovelace"

[identity]
pypi_username = "ada"

[[profiles]]
kind = "website"
label = "Home page"
url = "https://example.org/~ada"

[verification]
public_key = ""
```

An asterisk marks what is required. The keys that commands write are `stored_proof`, `public_key` and `statements`.
"""

MEANING = {
    "profile.kind": "what kind of principal this is",
    "profile.display_name": "name to show",
    "profile.summary": "a few sentences",
    "identity.legal_name": "name on paper",
    "identity.display_name": "name to show of the person",
    "identity.pypi_username": "account on the package index; names the signing key too, if nothing else does",
    "identity.pronouns": "as the person wants to be spoken of",
    "identity.timezone": "such as `Europe/Vienna`",
    "identity.location": "as far as it is anybody's business",
    "humans.id": "short name, unique in the file",
    "humans.display_name": "name to show",
    "humans.role": "what this person does here",
    "humans.bio": "a few sentences",
    "profiles.kind": "what kind of page: `github`, `mastodon`, `dns`, `website`, … ([providers](providers.md))",
    "profiles.label": "name to show",
    "profiles.url": "the page that is claimed; proofs are for exactly this text",
    "profiles.verification": "what somebody wrote by hand; proves nothing and is never shown as a fact",
    "profiles.rel_me": 'the page links back with `rel="me"`',
    "profiles.stored_proof": "the proof for this page, written by `update-proofs`, `key-rotate` and `key-recover`",
    "contact_methods.kind": "`email`, `matrix`, …",
    "contact_methods.label": "name to show",
    "contact_methods.value": "the address",
    "contact_methods.audience": "for whom it is",
    "contact_methods.visibility": "how openly it is shown",
    "packages.name": "name on the index",
    "packages.role": "what the principal is to it",
    "packages.state": "how alive it is",
    "packages.summary": "a sentence",
    "packages.url": "where it lives",
    "projects.name": "name to show",
    "projects.url": "where it lives",
    "projects.role": "in free words",
    "projects.state": "how alive it is",
    "projects.summary": "a sentence",
    "work_experience.organization": "where",
    "work_experience.title": "as what",
    "work_experience.start_date": "from when",
    "work_experience.end_date": "until when",
    "work_experience.summary": "a few sentences",
    "hiring.open_to_work_since": "a date",
    "hiring.employment_types": "such as `contract`",
    "hiring.work_model": "such as `remote`",
    "hiring.jurisdiction": "where one may work",
    "hiring.speaking": "takes invitations to speak",
    "hiring.sponsorship": "takes sponsors",
    "contracting.legal_entity": "who signs",
    "contracting.engagement_types": "such as `audit`",
    "succession.policy": "what happens to the packages when nobody answers any more",
    "succession.last_reviewed": "a date",
    "succession.contacts.name": "who follows",
    "succession.contacts.contact": "how to reach them",
    "succession.contacts.scope": "for which packages",
    "succession.contacts.relationship": "who they are to the principal",
    "succession.contacts.verification": "what somebody wrote by hand",
    "contact_preferences.do_contact_about": "welcome",
    "contact_preferences.do_not_contact_about": "not welcome",
    "verification.public_key": "the 56 characters of the minisign public key; written by `keygen`, `key-rotate`, `key-recover`",
    "verification.preferred_signature_backend": "always `minisign`",
    "verification.statements": "rotations and revocations, each a signed text; ours alone, the existing tool ignores it",
}

_KINDS = {"str": "text", "bool": "true or false", "tuple[str, ...]": "list of texts"}


def profile_page() -> str:
    lines = [HEAD]
    for name, annotation in keys_of(Profile).items():
        lines += _table(name, annotation)
    lines.append("## Words\n")
    words = {
        "PrincipalKind": "kind of a principal",
        "ClaimStatus": "verification",
        "Visibility": "visibility",
    }
    words |= {"PackageRole": "role of a package", "PackageState": "state of a package or project"}
    for choice, what in words.items():
        lines.append(f"- {what}: {', '.join(f'`{word}`' for word in CHOICES[choice])}")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _table(name: str, annotation: str) -> list[str]:
    many = annotation.startswith("tuple[")
    table = TABLES[annotation.removeprefix("tuple[").partition(",")[0].rstrip("]")]
    required = required_keys(table)
    defaults = defaults_of(table)
    lines = [
        f"## `{f'[[{name}]]' if many else f'[{name}]'}`\n",
        "| key | holds | default | meaning |",
        "|---|---|---|---|",
    ]
    below: list[str] = []
    for key, kind in keys_of(table).items():
        inner = kind.removeprefix("tuple[").partition(",")[0]
        if inner in TABLES:
            below += _table(f"{name}.{key}", kind)
            continue
        default = defaults.get(key)
        shown = (
            f"`{str(default).lower()}`" if isinstance(default, bool) else f"`{default}`" if default else "-"
        )
        holds = "one of the [words](#words) for it" if kind in CHOICES else _KINDS[kind]
        star = "*" if key in required else ""
        lines.append(f"| `{key}`{star} | {holds} | {shown} | {MEANING[f'{name}.{key}']} |")
    return [*lines, "", *below]
