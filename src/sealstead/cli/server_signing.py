"""`sealstead admin create-certificate` and its kin: hung below `admin` in `cli/server.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sealstead.cli import inputs, output
from sealstead.cli.options import data_dir_option, json_option
from sealstead.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    from sealstead.server.signing.admin import Which

F = TypeVar("F", bound=Callable[..., Any])


class ForceNeededError(InputError):
    """Something would be lost for good, and nobody said that it may be."""

    code = "force-needed"


def _which_options(command: F) -> F:
    command = click.option("--thumbprint", metavar="HEX", help="SHA-1 or SHA-256 of the certificate.")(
        command
    )
    command = click.option("--alias", metavar="A", help="The name of this one certificate.")(command)
    return click.option("--label", metavar="L", help="The label; several certificates may share it.")(command)


@click.command(
    "create-certificate",
    epilog="""\b
Examples:
  sealstead admin create-certificate --test --label production
  sealstead admin create-certificate --pfx codesign.pfx --label production --password-stdin < password.txt
  sealstead admin create-certificate --csr --label production --subject "CN=Harbour Ltd,O=Harbour Ltd,C=SE" > request.csr
  sealstead admin create-certificate --profile minisign --label wheels
""",
)
@click.option("--label", required=True, metavar="L", help="What scripts name it by; renewals share it.")
@click.option("--alias", metavar="A", help="Its own name.  [default: name and end of the certificate]")
@click.option(
    "--profile",
    type=click.Choice(["authenticode", "cms-detached", "minisign"]),
    default="authenticode",
    show_default=True,
    help="What the key makes, and nothing else ever.",
)
@click.option("--test", is_flag=True, help="By the built-in test authority, which nobody trusts unasked.")
@click.option("--pfx", type=click.Path(path_type=Path), metavar="FILE", help="Key and chain, PKCS#12.")
@click.option("--pem", type=click.Path(path_type=Path), metavar="FILE", help="Key and chain, PEM.")
@click.option("--csr", is_flag=True, help="Make a key and print the request for its certificate.")
@click.option(
    "--subject", metavar="S", help="For --test and --csr: CN=…,O=…, or a name.  [default: the label]"
)
@click.option("--algorithm", metavar="A", help="For --test and --csr: RSA-3072, RSA-4096, P-256, P-384.")
@click.option("--expires", metavar="LIFE", help="For --test: how long it is valid.  [default: 365d]")
@click.option("--password-stdin", is_flag=True, help="Read the file's password from standard input.")
@data_dir_option
@json_option
def create_certificate(
    data_dir: Path,
    as_json: bool,
    test: bool,
    csr: bool,
    pfx: Path | None,
    pem: Path | None,
    password_stdin: bool,
    **given: Any,
) -> None:
    """Put a signing key with its certificate on the server and print its thumbprint.

    With --csr the request (PEM) is printed instead, with --profile minisign the public key.
    """
    now = _open(data_dir)
    from sealstead.server.signing.admin import CertificateSourceError, create

    chosen = {"test": test, "csr": csr, "pfx": pfx, "pem": pem}
    sources = [name for name, value in chosen.items() if value]
    if len(sources) > 1:
        raise CertificateSourceError("--test, --pfx, --pem and --csr exclude each other")
    file = pfx or pem
    made = create(
        **given,
        source=sources[0] if sources else None,
        data=inputs.read_file(file) if file else b"",
        password=inputs.file_password(from_stdin=password_stdin) if file else None,
        at=now,
    )
    for warning in made.warnings:
        output.warning(warning)
    if as_json:
        output.document(made.facts | ({"csr": made.text} if csr else {}))
        return
    output.data(made.text)
    output.note(f"certificate {made.facts['alias']}, label {made.facts['label']}")
    _next(f"{'load' if csr else 'grant'}-certificate", given["label"], "FILE" if csr else "--user U")


@click.command(
    "load-certificate",
    epilog="""\b
Example:
  sealstead admin load-certificate --label production issued-chain.pem
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@_which_options
@data_dir_option
@json_option
def load_certificate(file: Path, data_dir: Path, as_json: bool, **which: Any) -> None:
    """Load the issued certificate and its chain (PEM) from FILE, for a key that create-certificate --csr made."""
    now = _open(data_dir)
    from sealstead.server.signing.admin import load

    facts, warnings = load(_which(which), inputs.read_file(file), at=now)
    for warning in warnings:
        output.warning(warning)
    if as_json:
        output.document(facts)
        return
    output.data(facts["thumbprint"])
    output.note(f"certificate {facts['alias']}, valid until {facts['not_after']}")
    if not facts["users"]:
        _next("grant-certificate", facts["label"], "--user U")


@click.command(
    "export-certificate",
    epilog="""\b
Examples:
  sealstead admin export-certificate --label production > certificate.pem
  sealstead admin export-certificate --label production --root > root.pem
""",
)
@_which_options
@click.option("--chain", "part", flag_value="chain", help="The certificates above it, nearest first.")
@click.option("--root", "part", flag_value="root", help="The last certificate of its chain.")
@data_dir_option
def export_certificate(data_dir: Path, part: str | None, **which: Any) -> None:
    """Print a certificate as PEM. Private keys are never printed."""
    now = _open(data_dir)
    from sealstead.server.signing.admin import export

    output.data(export(_which(which), part=part or "certificate", at=now))


@click.command("list-certificates")
@data_dir_option
@json_option
def list_certificates(data_dir: Path, as_json: bool) -> None:
    """List certificates: alias, label, profile, state, end, users, thumbprint."""
    _open(data_dir)
    from sealstead.server.signing.admin import list_all

    found = list_all()
    if as_json:
        output.document(found)
        return
    if not found:
        output.note("no certificate yet; make one with: sealstead admin create-certificate")
        return
    output.table(
        ("ALIAS", "LABEL", "PROFILE", "STATE", "ENDS", "USERS", "THUMBPRINT"),
        [
            (
                one["alias"],
                one["label"],
                one["profile"],
                _state(one),
                (one["not_after"] or "never")[:10],
                ",".join(one["users"]),
                one["thumbprint"] or one["public_key"] or "",
            )
            for one in found
        ],
    )


@click.command("disable-certificate")
@_which_options
@data_dir_option
@json_option
def disable_certificate(data_dir: Path, as_json: bool, **which: Any) -> None:
    """Sign nothing more with a certificate, at once and until it is enabled again."""
    _switch(which, data_dir, enabled=False, as_json=as_json)


@click.command("enable-certificate")
@_which_options
@data_dir_option
@json_option
def enable_certificate(data_dir: Path, as_json: bool, **which: Any) -> None:
    """Sign with a certificate again."""
    _switch(which, data_dir, enabled=True, as_json=as_json)


@click.command(
    "grant-certificate",
    epilog="""\b
Examples:
  sealstead admin grant-certificate --user ada --label production
  sealstead admin grant-certificate --user ada --label production --withdraw
""",
)
@click.option("--user", required=True, metavar="U", help="The account.")
@_which_options
@click.option("--withdraw", is_flag=True, help="Take the grant back instead.")
@data_dir_option
@json_option
def grant_certificate(user: str, withdraw: bool, data_dir: Path, as_json: bool, **which: Any) -> None:
    """Let an account sign with a certificate; with a label, with every certificate that has it."""
    now = _open(data_dir)
    from sealstead.server.signing.admin import set_granted

    found = set_granted(_which(which), user=user, granted=not withdraw, at=now)
    if as_json:
        output.document(found)
        return
    for one in found:
        output.note(f"{one['alias']}: {'withdrawn from' if withdraw else 'granted to'} {user}")


@click.command("delete-certificate")
@_which_options
@click.option("--force", is_flag=True, help="The key is lost for good; say so.")
@data_dir_option
@json_option
def delete_certificate(force: bool, data_dir: Path, as_json: bool, **which: Any) -> None:
    """Destroy a key for good. Signatures made with it stay valid, events keep its name."""
    if not force:
        raise ForceNeededError(
            "the private key would be lost for good",
            hint="add --force, or switch it off: disable-certificate",
        )
    now = _open(data_dir)
    from sealstead.server.signing.admin import delete

    facts = delete(_which(which), at=now)
    if as_json:
        output.document(facts)
    else:
        output.note(f"certificate {facts['alias']} is gone")


def _next(command: str, label: str, rest: str) -> None:
    import shlex

    output.note(f"next: sealstead admin {command} --label {shlex.quote(label)} {rest}")


def _switch(which: dict[str, Any], data_dir: Path, *, enabled: bool, as_json: bool) -> None:
    now = _open(data_dir)
    from sealstead.server.signing.admin import set_enabled

    facts = set_enabled(_which(which), enabled=enabled, at=now)
    if as_json:
        output.document(facts)
    else:
        output.note(f"certificate {facts['alias']} is {'enabled' if facts['enabled'] else 'disabled'}")


def _which(given: dict[str, Any]) -> Which:
    from sealstead.server.signing.admin import Which

    return Which(**given)


def _open(data_dir: Path) -> datetime:
    """Start Django on the data directory and return the moment."""
    from sealstead.server.prepare import open_existing

    open_existing(data_dir)
    from sealstead.server.signing.admin import now

    return now()


def _state(facts: dict[str, Any]) -> str:
    if facts["is_root"]:
        return "test authority"
    if facts["awaits_certificate"]:
        return "awaits certificate"
    return ("enabled" if facts["enabled"] else "disabled") + (", test" if facts["is_test"] else "")
