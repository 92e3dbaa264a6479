"""`timestamp`: put time-stamps to files that are signed already."""

from __future__ import annotations

import click

from sealstead.cli.signing.file_options import (
    bring_back,
    chosen_targets,
    file_options,
    make_stamper,
    timestamp_options,
)
from sealstead.cli.signing.options import SigningOptions, signing_options


@click.command(
    epilog="""\b
Examples:
  SignotaurTool timestamp --tr http://tsa.example.org dist/*.exe
  SignotaurTool timestamp --tr http://tsa.example.org --td SHA384 --fallback-timestamp-server http://other.example app.zip

No signing server and no API key are needed. A file without a signature is skipped; one that was changed after it was
signed is refused. A time-stamp that is there already is replaced.
"""
)
@file_options
@timestamp_options
@signing_options()
def timestamp(
    *,
    options: SigningOptions,
    files: tuple[str, ...],
    file_list: str | None,
    go_on: bool,
    jobs: int,
    timestamp_server: str | None,
    timestamp_digest: str | None,
    fallbacks: tuple[str, ...],
) -> int:
    """Put a time-stamp to signed files: their signatures then outlive the certificate."""
    from sealstead.cli.signing.results import Teller
    from sealstead.codesign.outcomes import Selector, Wishes
    from sealstead.codesign.stamp_files import stamp_targets

    stamper = make_stamper(options, timestamp_server, timestamp_digest, fallbacks)
    if stamper is None:
        raise click.UsageError("no time-stamp server was named: --tr says which")
    missing: list[str] = []
    targets = chosen_targets(options, files, file_list, missing=missing if go_on else None)
    bring_back(targets, dry_run=False)
    teller = Teller(options, go_on=go_on, total=len(targets))
    wishes = Wishes(selector=Selector(), go_on=go_on, jobs=jobs, stamper=stamper, progress=teller.advance)
    teller.missing(missing)
    return teller.run(stamp_targets(targets, wishes), {})
