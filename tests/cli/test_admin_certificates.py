"""`sealstead admin create-certificate` and its kin: one walk through the real commands."""

from __future__ import annotations

import json
from pathlib import Path

from tests.certificates import leaf
from tests.cli.conftest import Command
from tests.cli.test_admin import create


def test_certificates_from_the_first_to_the_last(
    sealstead: Command, data_dir: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    def admin(*arguments: object, stdin: str = "") -> tuple[int, str, str]:
        done = sealstead("admin", *arguments, "--data-dir", data_dir, stdin=stdin, environment=environment)
        return done.code, done.out, done.err

    create(sealstead, data_dir, environment, name="signer")
    pfx = tmp_path / "code.pfx"
    pfx.write_bytes(leaf().pfx("open sesame"))
    code, out, err = admin(
        *("create-certificate", "--pfx", pfx, "--label", "Walk", "--password-stdin"), stdin="wrong\n"
    )
    assert (code, out) == (3, "")
    assert "does not open" in err
    code, out, err = admin(
        *("create-certificate", "--pfx", pfx, "--label", "Walk", "--password-stdin"), stdin="open sesame\n"
    )
    assert (code, len(out.strip())) == (0, 40), err
    assert err.endswith("\nnext: sealstead admin grant-certificate --label Walk --user U\n")
    thumbprint = out.strip()
    code, out, _ = admin("export-certificate", "--label", "walk", "--root")
    assert (code, out.count("BEGIN CERTIFICATE")) == (0, 1)
    code, _, err = admin("grant-certificate", "--user", "signer", "--label", "walk")
    assert (code, "granted to signer" in err) == (0, True)
    code, _, err = admin("grant-certificate", "--user", "signer", "--label", "gone")
    assert (code, "no certificate with the label 'gone'" in err) == (1, True)
    code, out, _ = admin("list-certificates", "--json")
    (listed,) = [one for one in json.loads(out) if one["thumbprint"] == thumbprint]
    assert (listed["users"], listed["enabled"]) == (["signer"], True)
