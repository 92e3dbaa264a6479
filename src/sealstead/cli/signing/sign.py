"""`sign`: put signatures to files, made by a key that the server holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sealstead.cli import output
from sealstead.cli.signing.context import open_server
from sealstead.cli.signing.file_options import (
    DIGESTS,
    bring_back,
    chosen_targets,
    file_options,
    listed_paths,
    make_stamper,
    timestamp_options,
)
from sealstead.cli.signing.options import SigningOptions, signing_options
from sealstead.clock import SystemClock, moment_text, serialize_moment
from sealstead.durations import parse_duration

if TYPE_CHECKING:
    from datetime import timedelta

    from sealstead.codesign.outcomes import Selector
    from sealstead.codesign.server_api import ServerApi
    from sealstead.codesign.server_values import ServerCertificate

EXPIRING = 4


@click.command(
    epilog="""\b
Examples:
  SignotaurTool sign --af ~/.signotaur/api_key.txt -s https://sign.example.org --label production app.exe
  SignotaurTool sign --label production --fd SHA256 --tr http://tsa.example.org 'dist/**/*.exe' '!**/test/**'
  SignotaurTool sign --label releases dist/*.whl      (a label for detached signatures: app.whl.minisig)

Quote patterns, so that the shell leaves them alone: * and ? within a name, ** across directories, ! takes away.
Whatever goes wrong, a file is as it was; after a kill the next run brings it back.
Exit code 4: the API key ends within the time of --fail-if-expiring-within; nothing was signed.
"""
)
@file_options
@click.option("--label", metavar="TEXT", help="Sign with the newest certificate of this label.")
@click.option("-t", "--thumbprint", metavar="SHA1", help="Sign with the certificate of this thumbprint.")
@click.option(
    "--sb", "--subject", "subject", metavar="TEXT", help="Sign with the certificate of this subject."
)
@click.option(
    "--fd",
    "--file-digest",
    "algorithm",
    type=click.Choice(DIGESTS, case_sensitive=False),
    metavar="[SHA256|SHA384|SHA512]",
    help="Hash algorithm of the signature. Default: fileDigest of the settings file, else SHA256.",
)
@timestamp_options
@click.option(
    "--ac",
    "--additional-certificates",
    "extra",
    metavar="FILE,...",
    multiple=True,
    help="Certificates to put into the signature too (PEM or DER), such as a cross-signed root.",
)
@click.option("-d", "--description", metavar="TEXT", help="What Windows calls the program.")
@click.option("--du", "--description-url", "url", metavar="URL", help="Where there is more about it.")
@click.option(
    "--app-name",
    metavar="TEXT",
    help="Name of the product in a ClickOnce or VSTO manifest; of no effect on the kinds of files signed here.",
)
@click.option("--append", is_flag=True, help="Add to a signature that is there, instead of replacing it.")
@click.option("--skip-signed", is_flag=True, help="Leave files alone that have a signature of their content.")
@click.option("--verify-after", is_flag=True, help="Read each file again and check its signature.")
@click.option(
    "--unsupported-file-types",
    "unsupported",
    type=click.Choice(("fail", "skip", "detached"), case_sensitive=False),
    default="fail",
    show_default=True,
    help="What to do with files into which no signature can be put. detached: beside the file, if the label has a "
    "certificate for that.",
)
@click.option(
    "--fail-if-expiring-within",
    "window",
    metavar="7d",
    help="Sign nothing, and end with exit code 4, if the API key ends within this time.",
)
@click.option(
    "--auto-self-update",
    is_flag=True,
    help="Taken, and of no effect: a signing server sends no programs (see `update`).",
)
@click.option("--um", "--update-mode", "update_mode", metavar="MODE", help="The same.")
@click.option("--dry-run", is_flag=True, help="Show what would be signed, and with what; sign nothing.")
@signing_options(server=True, key=True)
def sign(
    *,
    options: SigningOptions,
    files: tuple[str, ...],
    file_list: str | None,
    go_on: bool,
    jobs: int,
    label: str | None,
    thumbprint: str | None,
    subject: str | None,
    algorithm: str | None,
    timestamp_server: str | None,
    timestamp_digest: str | None,
    fallbacks: tuple[str, ...],
    extra: tuple[str, ...],
    description: str | None,
    url: str | None,
    app_name: str | None,
    append: bool,
    skip_signed: bool,
    verify_after: bool,
    unsupported: str,
    window: str | None,
    auto_self_update: bool,
    update_mode: str | None,
    dry_run: bool,
) -> int:
    """Sign files with a key that the server holds; the files themselves stay here."""
    _tell_of_no_effect(
        options,
        {"--app-name": app_name, "--auto-self-update": auto_self_update, "--update-mode": update_mode},
    )
    limit = None if window is None else parse_duration(window)
    selector = _selector(options, label=label, thumbprint=thumbprint, subject=subject)
    from sealstead.cli.signing.results import Teller
    from sealstead.codesign.choosing import find_certificates
    from sealstead.codesign.outcomes import Wishes
    from sealstead.codesign.sign import sign_targets
    from sealstead.codesign.signatures import load_certificates

    missing: list[str] = []
    targets = chosen_targets(options, files, file_list, missing=missing if go_on else None)
    teller = Teller(options, go_on=go_on, total=len(targets))
    wishes = Wishes(
        selector=selector,
        progress=teller.advance,
        algorithm=(algorithm or options.config.text("fileDigest") or DIGESTS[0]).upper(),
        description=description,
        description_url=url,
        unsupported=unsupported,
        append=append,
        skip_signed=skip_signed,
        verify_after=verify_after,
        go_on=go_on,
        dry_run=dry_run,
        jobs=jobs,
        extra_certificates=tuple(
            der for path in listed_paths(options, extra) for der in load_certificates(path)
        ),
        stamper=make_stamper(options, timestamp_server, timestamp_digest, fallbacks),
    )
    api = open_server(options)
    if limit is not None and (code := _expiring(options, api, limit, window or "")):
        return code
    certificates = find_certificates(api, selector)
    _tell_certificate(options, certificates[0])
    bring_back(targets, dry_run=dry_run)
    teller.missing(missing)
    return teller.run(sign_targets(api, certificates, targets, wishes), _facts(api, certificates[0]))


def _tell_of_no_effect(options: SigningOptions, given: dict[str, object]) -> None:
    """Scripts for the command that we replace go on working, and whoever looks sees which of their words do nothing."""
    for name, value in given.items():
        if value:
            options.tell(f"{name}: of no effect here")


def _selector(options: SigningOptions, **given: str | None) -> Selector:
    """Return by what the certificate is chosen: the option, else the settings file, where the most exact counts."""
    from sealstead.codesign.outcomes import Selector

    chosen = {name: value for name, value in given.items() if value is not None}
    if len(chosen) > 1:
        raise click.UsageError("--label, --thumbprint and --subject: one says which certificate")
    if not chosen:
        found = ((name, options.config.text(name)) for name in ("thumbprint", "label", "subject"))
        chosen = dict([next(((name, value) for name, value in found if value), ("", ""))])
    if "" in chosen:
        raise click.UsageError(
            "no certificate was chosen: --label says which (`certificates` lists those that your key may sign with)"
        )
    return Selector(**chosen)


def _expiring(options: SigningOptions, api: ServerApi, limit: timedelta, window: str) -> int:
    from sealstead.codesign.key_end import end_of, ends_within

    info = api.key_info()
    if not ends_within(info, limit, now=SystemClock().now()):
        return 0
    end = end_of(info)
    at = moment_text(end) if end else ""
    message = f"the API key {info.name} ends at {at}, within {window}; nothing was signed"
    hint = "run `rotate-key`, or store a new key"
    if options.as_json:
        output.error_document(code="api-key-expiring", message=message, hint=hint, exit_code=EXPIRING)
    else:
        output.error(message, hint)
    return EXPIRING


def _tell_certificate(options: SigningOptions, certificate: ServerCertificate) -> None:
    until = f", until {moment_text(certificate.not_after)}" if certificate.not_after else ""
    options.tell(f"certificate: {certificate.subject} ({certificate.thumbprint}){until}")
    if certificate.is_test:
        output.warning(
            f"{certificate.subject or certificate.alias} is a certificate for tests: nobody trusts it"
        )


def _facts(api: ServerApi, certificate: ServerCertificate) -> dict[str, Any]:
    return {
        "server": api.url,
        "certificate": {
            "label": certificate.label,
            "profile": certificate.profile,
            "subject": certificate.subject,
            "thumbprint": certificate.thumbprint,
            "not_after": certificate.not_after and serialize_moment(certificate.not_after),
            "is_test": certificate.is_test,
        },
    }
