"""`sealstead serve` and `sealstead admin`. With `server_tokens.py`, the only modules outside `server` that import it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealstead.cli import inputs, output
from sealstead.cli.groups import Group
from sealstead.cli.options import data_dir_option, json_option
from sealstead.cli.server_index import switches
from sealstead.cli.server_keys import (
    create_api_key,
    disable_api_key,
    enable_api_key,
    list_api_keys,
    revoke_api_key,
)
from sealstead.cli.server_signing import (
    create_certificate,
    delete_certificate,
    disable_certificate,
    enable_certificate,
    export_certificate,
    grant_certificate,
    list_certificates,
    load_certificate,
)
from sealstead.cli.server_tokens import create_token, list_tokens, revoke_token, rotate_token
from sealstead.cli.server_users import disable_user, enable_user, list_users
from sealstead.errors import InputError

if TYPE_CHECKING:
    from sealstead.server.serve import Announcement


class ServerNotInstalledError(InputError):
    """Only the client side is installed."""

    code = "server-not-installed"


def _need_server() -> None:
    if importlib.util.find_spec("django") is None:
        raise ServerNotInstalledError("the server is not installed", hint="pip install 'sealstead[server]'")


@click.command(
    epilog="""\b
Examples:
  sealstead serve
  sealstead serve --data-dir /srv/sealstead --workers 4
  sealstead serve --host 0.0.0.0 --port 8443 --tls-cert chain.pem --tls-key key.pem
  sealstead serve --tls-self-signed
Settings: sealstead.toml in the data directory, or SEALSTEAD_* (docs/reference/settings.md).
SIGHUP reads settings and certificate again; SIGTERM finishes running requests.
"""
)
@data_dir_option
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0: any free one.  [default: 8000]"
)
@click.option("--workers", type=click.IntRange(1, 256), help="Worker processes.  [default: 2]")
@click.option("--tls-cert", type=click.Path(path_type=Path), metavar="F", help="Certificate chain, PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path), metavar="F", help="Its private key, PEM.")
@click.option("--tls-self-signed", is_flag=True, help="Make a local authority and serve TLS with it.")
def serve(data_dir: Path, **given: Any) -> None:
    """Run the server.

    The first start makes the data directory, the master keys and the database, and says how to make the first
    account.
    """
    _need_server()
    from sealstead.server.serve import serve as run

    overrides = {
        name: str(value.absolute() if isinstance(value, Path) else value)
        for name, value in given.items()
        if value is not None and value is not False
    }
    run(data_dir=data_dir, overrides=overrides, announce=_announce)


def _announce(fact: Announcement) -> None:
    output.data(f"Sealstead answers at {fact.url}/")
    output.data(f"data directory: {fact.data_dir}")
    if fact.authority:
        output.data(f"clients must trust this server's own authority: {fact.authority}")
        output.data(f"  SHA-256 {fact.authority_fingerprint}")
        output.data(f"  for pip, uv, twine and SignotaurTool: export SSL_CERT_FILE={fact.authority}")
        output.data(f"  for pip and twine also: export REQUESTS_CA_BUNDLE={fact.authority}")
    if not fact.has_accounts:
        where = "" if fact.default_data_dir else f" --data-dir {fact.data_dir}"
        output.data("no account yet; make the first one with:")
        output.data(f"  sealstead admin create-user NAME --email NAME@example.org --admin{where}")
    output.data("Ctrl-C stops it")


@click.group(cls=Group)
def admin() -> None:
    """Look after a server: accounts, tokens, schema, health.

    Each command takes --data-dir, works while the server runs, and writes JSON with --json.
    """
    _need_server()


@admin.command(
    "create-user",
    epilog="""\b
Examples:
  sealstead admin create-user ada --email ada@example.org
  printf '%s\\n' "$PASSWORD" | sealstead admin create-user ada --email ada@example.org --password-stdin
""",
)
@click.argument("name")
@click.option("--email", required=True, metavar="ADDRESS", help="Its e-mail address; counts as verified.")
@click.option("--admin", "is_admin", is_flag=True, help="May look after the whole server.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, not by prompt.")
@data_dir_option
@json_option
def create_user(
    name: str, email: str, is_admin: bool, password_stdin: bool, data_dir: Path, as_json: bool
) -> None:
    """Make an account called NAME and print its id."""
    from sealstead.server.prepare import open_existing

    open_existing(data_dir)
    from sealstead.server.accounts.create import check_name_and_email
    from sealstead.server.accounts.create import create_user as create

    check_name_and_email(name, email)
    user = create(
        username=name, email=email, password=inputs.new_password(from_stdin=password_stdin), is_admin=is_admin
    )
    if as_json:
        output.document(
            {"id": str(user.pk), "username": user.username, "email": user.email, "admin": is_admin}
        )
    else:
        output.data(str(user.pk))
        output.note(f"account {user.username} is there; sign in with this name or {user.email}")


@admin.command()
@data_dir_option
@json_option
def migrate(data_dir: Path, as_json: bool) -> None:
    """Bring the database's schema up to date; `serve` does this by itself when it starts."""
    import os

    from sealstead.server.prepare import prepare

    applied = prepare(data_dir, os.environ).applied
    if as_json:
        output.document({"applied": applied})
        return
    for migration in applied:
        output.data(migration)
    output.note(f"{len(applied)} migrations applied" if applied else "the schema was up to date")


@admin.command()
@click.option(
    "--older-than", default="1d", show_default=True, metavar="DURATION", help="Leave what is younger alone."
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and leave it.")
@data_dir_option
@json_option
def collect(older_than: str, dry_run: bool, data_dir: Path, as_json: bool) -> None:
    """Remove what killed uploads and deleted files left among the blobs."""
    from sealstead.durations import parse_duration
    from sealstead.server.prepare import open_existing

    grace = parse_duration(older_than)
    open_existing(data_dir)
    from sealstead.server.index.collect import collect_here

    done = collect_here(grace=grace, dry_run=dry_run)
    if as_json:
        output.document(
            {"incoming": done.incoming, "blobs": done.blobs, "bytes": done.bytes, "dry_run": dry_run}
        )
        return
    verb = "would remove" if dry_run else "removed"
    output.data(f"{verb} {done.blobs} blobs and {done.incoming} unfinished uploads, {done.bytes} bytes")


@admin.command()
@data_dir_option
@json_option
def check(data_dir: Path, as_json: bool) -> int:
    """Look for what is wrong with a server: permissions, keys, database, settings, certificate, mail, files.

    Ends with 1 if there is a problem; notes alone end with 0.
    """
    from sealstead.server.check import check_server

    findings = check_server(data_dir)
    problems = [finding for finding in findings if finding.problem]
    if as_json:
        output.document({"ok": not problems, "findings": [finding.as_dict() for finding in findings]})
    else:
        for finding in findings:
            output.data(f"{'problem' if finding.problem else 'note'}: {finding.message}")
            if finding.hint:
                output.data(f"  hint: {finding.hint}")
        output.note(
            f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}"
            if problems
            else "no problems"
        )
    return 1 if problems else 0


@admin.command("test-mail")
@click.argument("address")
@data_dir_option
@json_option
def test_mail(address: str, data_dir: Path, as_json: bool) -> None:
    """Send a test mail to ADDRESS, the way the server sends its own."""
    from sealstead.server.prepare import open_existing

    open_existing(data_dir)
    from sealstead.server.mail_check import send_test_mail

    sent = send_test_mail(address)
    if as_json:
        output.document({"address": address, "via": sent})
    else:
        output.note(
            f"sent to {address} through {sent}"
            if sent != "outbox"
            else "written to outbox/: no mail server is set"
        )


for _command in (
    *(list_users, disable_user, enable_user),
    *(create_token, list_tokens, rotate_token, revoke_token, switches),
    *(create_certificate, load_certificate, export_certificate, list_certificates, grant_certificate),
    *(disable_certificate, enable_certificate, delete_certificate),
    *(create_api_key, list_api_keys, disable_api_key, enable_api_key, revoke_api_key),
):
    admin.add_command(_command)
