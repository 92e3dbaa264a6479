"""`verify`: check the signatures of files, step by step; no server and no key is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sealstead.cli import output
from sealstead.cli.signing.options import SigningOptions, signing_options
from sealstead.clock import SystemClock, moment_text

if TYPE_CHECKING:
    from sealstead.codesign.verify import Trust
    from sealstead.codesign.verify_report import FileReport, SignatureReport

FAILED = 1
_MARKS = {"passed": "ok", "failed": "FAILED", "untrusted": "untrusted", "absent": "none", "skipped": "-"}


@click.command(
    epilog="""\b
Examples:
  SignotaurTool verify dist/app.exe
  SignotaurTool verify 'dist/**/*.exe' --root company-root.pem --json
  SignotaurTool verify module.psm1 --require-timestamp
  SignotaurTool verify release.zip.p7s --root company-root.pem
  SignotaurTool verify release.zip --public-key release.pub
"""
)
@signing_options()
@click.argument("files", nargs=-1, metavar="FILES...")
@click.option(
    "--file-list", metavar="FILE", help="File that names further files and patterns, one in each line."
)
@click.option(
    "--root",
    "roots",
    multiple=True,
    metavar="FILE",
    help="Certificates (PEM or DER) that signers must lead to, instead of those that Windows trusts.",
)
@click.option("--public-roots", is_flag=True, help="With --root: also accept the roots that Windows trusts.")
@click.option(
    "--timestamp-root",
    "timestamp_roots",
    multiple=True,
    metavar="FILE",
    help="The same for time-stamps. Default: those of --root, and those that Windows trusts.",
)
@click.option(
    "--public-key",
    "keys",
    multiple=True,
    metavar="KEY",
    help="A minisign key that .minisig files may be made with: its file, or its line that begins with RW.",
)
@click.option("--require-timestamp", is_flag=True, help="A signature without a time-stamp fails.")
@click.option(
    "--allow-untrusted",
    "allow_untrusted_root",
    is_flag=True,
    help="A signer that leads to no trusted root is told, and does not fail.",
)
def verify(
    options: SigningOptions,
    files: tuple[str, ...],
    file_list: str | None,
    roots: tuple[str, ...],
    public_roots: bool,
    timestamp_roots: tuple[str, ...],
    keys: tuple[str, ...],
    require_timestamp: bool,
    allow_untrusted_root: bool,
) -> int:
    """Check the signatures of FILES in numbered steps: digest, signature, chain, time-stamp.

    Looked at are Windows programs, PowerShell files, and for any other file the .p7s and .minisig beside it. Revocation
    is not looked up. Ends with 1 unless everything holds.
    """
    from sealstead.codesign.targets import find_targets, read_file_list
    from sealstead.codesign.verify import check_file

    patterns = list(files)
    if file_list is not None:
        patterns += read_file_list(options.path(file_list), encoding=options.encoding or "utf-8")
    trust = _trust(
        options,
        roots=roots,
        public_roots=public_roots,
        timestamp_roots=timestamp_roots,
        keys=keys,
        require_timestamp=require_timestamp,
        allow_untrusted=allow_untrusted_root,
    )
    now = SystemClock().now()
    reports: list[tuple[str, FileReport]] = []
    for target in find_targets(patterns, base=options.base_directory):
        report = check_file(target.path, trust=trust, now=now)
        reports.append((target.name, report))
        if not options.as_json:
            _show(target.name, report, details=options.verbose)
    good = all(report.ok for _, report in reports)
    if options.as_json:
        from sealstead.codesign.verify_report import as_document

        documents = [{**as_document(report), "file": name} for name, report in reports]
        output.document({"ok": good, "files": documents})
    return 0 if good else FAILED


def _trust(
    options: SigningOptions,
    *,
    roots: tuple[str, ...],
    public_roots: bool,
    timestamp_roots: tuple[str, ...],
    keys: tuple[str, ...],
    require_timestamp: bool,
    allow_untrusted: bool,
) -> Trust:
    from sealstead.codesign.roots import load_roots
    from sealstead.codesign.verify import Trust
    from sealstead.formats.minisign import parse_public_key

    chosen = [options.path(name) for name in roots]
    for_stamps = [options.path(name) for name in timestamp_roots]
    trusted = []
    for key in keys:
        path = options.path(key)
        trusted.append(parse_public_key(path.read_bytes()[:4096] if path.is_file() else key))
    return Trust(
        roots=load_roots(chosen, with_public=public_roots or not chosen),
        timestamp_roots=load_roots(for_stamps or chosen, with_public=not for_stamps),
        allow_untrusted=allow_untrusted,
        require_timestamp=require_timestamp,
        minisign_keys=tuple(trusted),
    )


def _show(name: str, report: FileReport, *, details: bool) -> None:
    output.data(f"{output.on_one_line(name)}: {'ok' if report.ok else 'FAILED'}")
    for number, signature in enumerate(report.signatures):
        if len(report.signatures) > 1:
            output.data(f"  signature {number + 1} of {len(report.signatures)}")
        _show_signature(signature, details=details)
    if report.problem is not None:
        output.data(f"  {report.problem.message}")
        if report.problem.hint:
            output.data(f"  hint: {report.problem.hint}")


def _show_signature(report: SignatureReport, *, details: bool) -> None:
    for step in report.steps:
        output.data(f"  {step.number}. {step.name:<10}  {_MARKS[step.state.value]:<9}  {step.message}")
        if step.hint and not report.ok:
            output.data(f"     hint: {step.hint}")
    signer = report.signer
    if signer is not None and details:
        output.data(f"     signer      {signer.subject}")
        output.data(f"     issuer      {signer.issuer}")
        output.data(f"     thumbprint  {signer.thumbprint}")
        output.data(f"     valid       {moment_text(signer.not_before)} to {moment_text(signer.not_after)}")
    if details and report.description:
        output.data(f"     says        {report.description}")
    if details and report.url:
        output.data(f"     address     {report.url}")
