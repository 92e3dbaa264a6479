"""The tables and keys of a profile (`pypi_profile.toml`, or `[tool.pypi-profile]` in `pyproject.toml`).

The classes are the schema: a key without a default is required, and its annotation says what it may hold. Names,
words and defaults are those of `pypi-profile` 0.3.0, so that either tool reads the other's file; ours are `statements`
(signed rotations and revocations) in `[verification]`. Keys that stand here are a promise: none is ever renamed.
"""

from __future__ import annotations

from typing import Literal, get_args

from sealstead.record import Record, defaults_of

PrincipalKind = Literal[
    "individual", "team", "company", "llc", "foundation", "collective", "project", "other"
]
ClaimStatus = Literal["self_asserted", "verified", "unverified", "invalid", "expired", "unknown"]
Visibility = Literal["public", "obfuscated", "link"]
PackageState = Literal[
    "active",
    "maintained",
    "stable",
    "experimental",
    "planning",
    "paused",
    "archived",
    "deprecated",
    "abandoned",
    "transferred",
    "seeking-maintainer",
    "security-only",
    "unmaintained-but-usable",
    "superseded",
    "private",
    "unknown",
]
PackageRole = Literal[
    "author",
    "creator",
    "owner",
    "maintainer",
    "co-maintainer",
    "contributor",
    "release-manager",
    "security-contact",
    "documentation-maintainer",
    "original-creator",
    "current-steward",
    "former-maintainer",
    "sponsor",
    "employer",
    "client",
    "vendor",
    "successor",
]

CHOICES: dict[str, tuple[str, ...]] = {
    "PrincipalKind": get_args(PrincipalKind),
    "ClaimStatus": get_args(ClaimStatus),
    "Visibility": get_args(Visibility),
    "PackageState": get_args(PackageState),
    "PackageRole": get_args(PackageRole),
}


class Principal(Record):
    kind: PrincipalKind = "individual"
    display_name: str = ""
    summary: str = ""


class Identity(Record):
    legal_name: str = ""
    display_name: str = ""
    pypi_username: str = ""
    pronouns: str = ""
    timezone: str = ""
    location: str = ""


class Human(Record):
    id: str
    display_name: str = ""
    role: str = ""
    bio: str = ""


class ProfileLink(Record):
    """A page elsewhere that the principal claims to control.

    `verification` is what somebody wrote by hand: it proves nothing, and nothing of ours shows it as a fact.
    """

    kind: str
    label: str
    url: str
    verification: ClaimStatus = "self_asserted"
    rel_me: bool = False
    stored_proof: str = ""


class ContactMethod(Record):
    kind: str
    label: str
    value: str
    audience: tuple[str, ...] = ()
    visibility: Visibility = "public"


class Package(Record):
    name: str
    role: PackageRole = "maintainer"
    state: PackageState = "active"
    summary: str = ""
    url: str = ""


class Project(Record):
    name: str
    url: str = ""
    role: str = "creator"
    state: PackageState = "active"
    summary: str = ""


class Work(Record):
    organization: str
    title: str = ""
    start_date: str = ""
    end_date: str = ""
    summary: str = ""


class Hiring(Record):
    open_to_work_since: str = ""
    employment_types: tuple[str, ...] = ()
    work_model: tuple[str, ...] = ()
    jurisdiction: tuple[str, ...] = ()
    speaking: bool = False
    sponsorship: bool = False


class Contracting(Record):
    legal_entity: str = ""
    engagement_types: tuple[str, ...] = ()


class SuccessionContact(Record):
    name: str
    contact: str = ""
    scope: tuple[str, ...] = ()
    relationship: str = ""
    verification: ClaimStatus = "self_asserted"


class Succession(Record):
    policy: str = ""
    last_reviewed: str = ""
    contacts: tuple[SuccessionContact, ...] = ()


class ContactPreferences(Record):
    do_contact_about: tuple[str, ...] = ()
    do_not_contact_about: tuple[str, ...] = ()


class Verification(Record):
    """`public_key` is the base64 line of a minisign public key; `statements` are whole signed texts, unverified."""

    public_key: str = ""
    preferred_signature_backend: str = "minisign"
    statements: tuple[str, ...] = ()


class Profile(Record):
    profile: Principal = Principal()
    identity: Identity = Identity()
    humans: tuple[Human, ...] = ()
    profiles: tuple[ProfileLink, ...] = ()
    contact_methods: tuple[ContactMethod, ...] = ()
    packages: tuple[Package, ...] = ()
    projects: tuple[Project, ...] = ()
    work_experience: tuple[Work, ...] = ()
    hiring: Hiring = Hiring()
    contracting: Contracting = Contracting()
    succession: Succession = Succession()
    contact_preferences: ContactPreferences = ContactPreferences()
    verification: Verification = Verification()


TABLES: dict[str, type[Record]] = {
    table.__name__: table
    for table in (
        Principal,
        Identity,
        Human,
        ProfileLink,
        ContactMethod,
        Package,
        Project,
        Work,
        Hiring,
        Contracting,
        SuccessionContact,
        Succession,
        ContactPreferences,
        Verification,
    )
}
"""By the name that stands in an annotation."""


def keys_of(table: type[Record]) -> dict[str, str]:
    """Return the keys of a table, and what each may hold as it is written in the class."""
    return dict(table.__annotations__)


def required_keys(table: type[Record]) -> set[str]:
    return set(keys_of(table)) - set(defaults_of(table))
