"""The operator's settings: the one declared table.

Each field of `Config` with `_doc` is a setting: its name in `sealstead.toml`, in upper case after `SEALSTEAD_` its
name in the environment (which wins), its type, its default, and its documentation, from which
`docs/reference/settings.md` is made. Reading them is `config_file.py`.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sealstead.clock import Clock, SystemClock
from sealstead.custody.sealed import KeyRing
from sealstead.secret import Secret
from sealstead.server.database import database_settings
from sealstead.server.forwarded import Network

PREFIX = "SEALSTEAD_"
MAX_WORKERS = 256
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound
"""Addresses that mean every interface, and what reaches such a server from its own machine."""


def _doc(section: str, text: str) -> dict[str, str]:
    return {"section": section, "doc": text}


@dataclass(frozen=True, kw_only=True)
class Config:
    # What the operator does not set in the file.
    data_dir: Path
    ring: KeyRing
    clock: Clock = field(default_factory=SystemClock)

    # Address.
    host: str = field(default="127.0.0.1", metadata=_doc("Address", "Address to listen on; `--host` wins."))
    port: int = field(default=8000, metadata=_doc("Address", "Port to listen on; `--port` wins."))
    public_url: str = field(
        default="",
        metadata=_doc(
            "Address",
            "Where people and tools reach this server: links in mails, samples, sign-in with a security key. "
            "Without it, the address the server listens on.",
        ),
    )
    allowed_hosts: tuple[str, ...] = field(
        default=(),
        metadata=_doc(
            "Address",
            "Further host names to answer for, beside that of `public_url`, the listening address and the "
            "loopback names. A request for another host is refused.",
        ),
    )
    trusted_proxies: tuple[Network, ...] = field(
        default=(),
        metadata=_doc(
            "Address",
            "Addresses or networks of your reverse proxies. Without it forwarded headers count for nothing; with it "
            "the right-most address in `X-Forwarded-For` that is not one of these is the client.",
        ),
    )
    workers: int = field(
        default=2, metadata=_doc("Address", "Worker processes, each with 8 threads; `--workers` wins.")
    )

    # TLS.
    tls_cert: Path | None = field(
        default=None,
        metadata=_doc("TLS", "Certificate chain, PEM. Read again on SIGHUP. Needs `tls_key`."),
    )
    tls_key: Path | None = field(default=None, metadata=_doc("TLS", "Private key of `tls_cert`, PEM."))
    tls_self_signed: bool = field(
        default=False,
        metadata=_doc("TLS", "Make a local authority and a certificate in the data directory, and use them."),
    )
    hsts: timedelta = field(
        default=timedelta(days=365),
        metadata=_doc(
            "TLS",
            "How long browsers insist on TLS for this host; `0` sends no such header. Never sent with "
            "`tls_self_signed`.",
        ),
    )

    # Database and master keys.
    database_url: Secret[str] | None = field(
        default=None,
        metadata=_doc(
            "Database and keys",
            "`postgresql://user:password@host/name`. Without it, SQLite in the data directory.",
        ),
    )
    master_key_file: Path | None = field(
        default=None,
        metadata=_doc(
            "Database and keys",
            "Key ring outside the data directory, so that a copy of the directory alone opens nothing.",
        ),
    )

    # Mail.
    smtp_host: str = field(
        default="",
        metadata=_doc(
            "Mail", "Mail server. Without it, mails become files in `outbox/`, readable by you alone."
        ),
    )
    smtp_port: int = field(default=587, metadata=_doc("Mail", "Its port."))
    smtp_user: str = field(default="", metadata=_doc("Mail", "User name there; blank: no sign-in."))
    smtp_password: Secret[str] | None = field(default=None, metadata=_doc("Mail", "Password there."))
    smtp_security: str = field(
        default="starttls",
        metadata=_doc("Mail", "`starttls`, `tls` (from the first byte on, port 465) or `none`.")
        | {"choices": "starttls tls none"},
    )
    mail_from: str = field(
        default="Sealstead <sealstead@localhost>", metadata=_doc("Mail", "Sender of every mail.")
    )

    mails_off: tuple[str, ...] = field(
        default=(),
        metadata=_doc(
            "Mail",
            "Kinds of mail that nobody gets: `key-expiry`, `old-key-in-use`, `second-rotation`, `certificate-expiry`, "
            "`certificate-grant`. Each person can switch them off for themselves too.",
        )
        | {"choices": "key-expiry old-key-in-use second-rotation certificate-expiry certificate-grant"},
    )

    # Accounts and credentials.
    site_name: str = field(default="Sealstead", metadata=_doc("Site", "Name in the page head and in mails."))
    registration: str = field(
        default="closed",
        metadata=_doc("Site", "`open`: visitors may register; `closed`: `sealstead admin create-user` alone.")
        | {"choices": "open closed"},
    )
    longest_life: timedelta | None = field(
        default=None,
        metadata=_doc("Policy", "Longest life of a credential; blank: no limit but `allow_never_expires`."),
    )
    default_life: timedelta = field(
        default=timedelta(days=90), metadata=_doc("Policy", "Life proposed for a new credential.")
    )
    default_overlap: timedelta = field(
        default=timedelta(days=7),
        metadata=_doc("Policy", "Overlap of a rotation that names none, at most `30d`.") | {"longest": "30"},
    )
    longest_overlap: timedelta = field(
        default=timedelta(days=30),
        metadata=_doc("Policy", "Longest overlap at a rotation, at most `30d`.") | {"longest": "30"},
    )
    allow_never_expires: bool = field(
        default=True, metadata=_doc("Policy", "Whether a credential may be made that never expires.")
    )
    line_max_age: timedelta | None = field(
        default=None,
        metadata=_doc(
            "Policy",
            "Age at which a line of rotated credentials ends, counted from its first; blank: never. A stolen "
            "credential cannot be rotated beyond it.",
        ),
    )

    max_wrong_credentials: int = field(
        default=20,
        metadata=_doc(
            "Policy",
            "Wrong upload credentials from one address within 5 minutes from which on they are answered with 429. "
            "Good ones are always accepted: the runners of a CI system share an address.",
        ),
    )

    # Index.
    release_closed_after: timedelta | None = field(
        default=timedelta(days=14),
        metadata=_doc(
            "Index",
            "Age at which a release takes no further files, so that a stolen token cannot change an old release; "
            "blank: never.",
        ),
    )
    wheel_platforms: tuple[str, ...] = field(
        default=(),
        metadata=_doc(
            "Index",
            "Platform tags accepted in wheels, with `*` as wildcard; empty: those the reference index accepts.",
        ),
    )
    wheel_record: str = field(
        default="warn",
        metadata=_doc(
            "Index",
            "A wheel whose RECORD does not describe it: `warn` accepts it and mails the members, as the reference "
            "index does; `refuse` does not.",
        )
        | {"choices": "warn refuse"},
    )
    prohibited_names: tuple[str, ...] = field(
        default=(),
        metadata=_doc(
            "Index",
            "Names that no new project may have, beside those of the standard library and known mistakes.",
        ),
    )
    max_file_bytes: int = field(
        default=100 * 1024 * 1024, metadata=_doc("Index", "Largest distribution file, in bytes.")
    )
    max_project_bytes: int = field(
        default=10 * 1024**3, metadata=_doc("Index", "Largest sum of the files of one project, in bytes.")
    )

    # security.txt (RFC 9116).
    security_contact: tuple[str, ...] = field(
        default=(),
        metadata=_doc(
            "Security contact",
            "Addresses for reports (`mailto:…`, `https://…`), most preferred first. Without one there is no "
            "`/.well-known/security.txt`.",
        ),
    )
    security_expires: str = field(
        default="",
        metadata=_doc(
            "Security contact",
            "Date (`2027-01-31`) after which the contact should not be relied upon; blank: a year from now.",
        ),
    )
    security_policy: str = field(
        default="", metadata=_doc("Security contact", "Address of your policy; blank: `/security/`.")
    )
    security_languages: tuple[str, ...] = field(
        default=("en",), metadata=_doc("Security contact", "Languages in which you read reports.")
    )

    # Logs.
    log_level: str = field(
        default="info",
        metadata=_doc("Logs", "`debug`, `info`, `warning` or `error`.")
        | {"choices": "debug info warning error"},
    )
    access_log: bool = field(
        default=True, metadata=_doc("Logs", "Whether each request is one line of the log.")
    )
    log_to: str = field(
        default="stderr",
        metadata=_doc("Logs", "`stderr`, or `file`: `logs/server.log` in the data directory.")
        | {"choices": "stderr file"},
    )

    def __post_init__(self) -> None:
        if not self.public_url:
            scheme = "https" if self.tls_cert or self.tls_self_signed else "http"
            host = _ANY.get(self.host, self.host)
            host = f"[{host}]" if ":" in host and not host.startswith("[") else host
            object.__setattr__(self, "public_url", f"{scheme}://{host}:{self.port}")
        object.__setattr__(self, "public_url", self.public_url.rstrip("/"))

    @property
    def secret_key(self) -> str:
        return self.ring.derive("django-secret-key").hex()

    @property
    def secret_key_fallbacks(self) -> list[str]:
        """What the other master keys give: sessions outlive a change of the active key."""
        return [
            self.ring.derive("django-secret-key", key_id=key_id).hex()
            for key_id in self.ring.key_ids
            if key_id != self.ring.active
        ]

    @property
    def behind_tls(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def hosts(self) -> list[str]:
        """Every host this server answers for; ports do not matter."""
        public = urlsplit(self.public_url).hostname or ""
        names = {public, self.host, "localhost", "127.0.0.1", "::1", *self.allowed_hosts} - {"", *_ANY}
        return sorted(f"[{name}]" if ":" in name and not name.startswith("[") else name for name in names)

    @property
    def database(self) -> dict[str, Any]:
        return database_settings(self.database_url, self.data_dir)


def declared() -> tuple[Field[Any], ...]:
    """The settings, in the order of their documentation."""
    return tuple(f for f in fields(Config) if "doc" in f.metadata)
