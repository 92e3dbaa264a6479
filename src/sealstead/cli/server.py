"""`sealstead serve` and `sealstead admin`: the only module outside `server` that imports it."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), required=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True)
def serve(data_dir: Path, host: str, port: int, workers: int) -> None:
    """Run the server."""
    from sealstead.server.serve import serve as run

    run(data_dir=data_dir, host=host, port=port, workers=workers)


@click.group()
def admin() -> None:
    """Look after a server's accounts and tokens."""


@admin.command("create-user")
@click.argument("name")
@click.option("--email", required=True)
@click.option("--admin", "is_admin", is_flag=True)
@click.option("--password-stdin", is_flag=True)
@click.option("--data-dir", type=click.Path(path_type=Path), required=True)
def create_user(name: str, email: str, is_admin: bool, password_stdin: bool, data_dir: Path) -> None:
    """Create an account."""
    from sealstead.server.serve import open_data_dir

    password = sys.stdin.readline().rstrip("\n")
    open_data_dir(data_dir)
    from sealstead.server.accounts.create import create_user as create

    user = create(username=name, email=email, password=password, is_admin=is_admin)
    click.echo(str(user.pk))
