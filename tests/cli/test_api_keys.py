"""`sealstead admin …-api-key`: what a script of an operator sees."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Command

from sealstead.formats.api_key_text import parse_api_key


def test_a_keys_life(sealstead: Command, data_dir: Path, environment: dict[str, str]) -> None:
    def admin(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        done = sealstead("admin", *arguments, "--data-dir", data_dir, stdin=stdin, environment=environment)
        return done.code, done.out, done.err

    admin(
        "create-user", "keyes", "--email", "k@example.org", "--password-stdin", stdin="correct horse staple"
    )
    code, out, err = admin(
        *("create-api-key", "--user", "keyes", "--name", "ci", "--expires", "30d"),
        *("--role", "Standard", "--role", "ApiKeyRotator", "--network", "192.0.2.0/24", "--label", "nope"),
    )
    assert code == 0
    assert "warning: no certificate has the label 'nope': there" in err
    assert out.count("\n") == 1
    key = parse_api_key(out.strip())
    assert "cannot be shown again" in err
    assert key.secret.reveal() not in err

    code, out, _ = admin("disable-api-key", "ci", "--user", "keyes", "--json")
    facts = json.loads(out)
    assert (code, facts["id"], facts["state"]) == (0, key.id, "disabled")
    assert (facts["roles"], facts["networks"]) == (["ApiKeyRotator", "Standard"], ["192.0.2.0/24"])
    assert admin("enable-api-key", key.id)[::2] == (0, f"the API key ci ({key.id}) is enabled\n")
    assert admin("revoke-api-key", key.id)[:2] == (0, f"{key.id}\n")
    code, out, err = admin("enable-api-key", key.id)
    assert (code, out) == (1, "")
    assert "has ended" in err
    _, out, _ = admin("list-api-keys", "--user", "keyes")
    assert out.splitlines()[1].split()[:4] == ["keyes", "ci", "ApiKeyRotator,Standard", "revoked"]


def test_what_cannot_be_is_usage(sealstead: Command, data_dir: Path, environment: dict[str, str]) -> None:
    done = sealstead(
        *("admin", "create-api-key", "--user", "nobody", "--name", "x", "--rate", "fast", "--json"),
        *("--data-dir", data_dir),
        environment=environment,
    )
    assert (done.code, json.loads(done.err)["error"]["code"]) == (2, "invalid-narrowing")
