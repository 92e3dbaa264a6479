"""`sealstead admin` without a server running."""

from __future__ import annotations

import email
import json
import secrets
import sqlite3
from pathlib import Path

import pytest
from tests.cli.conftest import Command, Done

PASSWORD = "correct horse battery staple"


def create(
    sealstead: Command, data_dir: Path, environment: dict[str, str], *more: str, name: str = ""
) -> Done:
    name = name or "u" + secrets.token_hex(4)
    return sealstead(
        *("admin", "create-user", name, "--email", f"{name}@example.org", "--data-dir", data_dir),
        *("--password-stdin", *more),
        stdin=PASSWORD + "\n",
        environment=environment,
    )


def test_an_account_is_made_and_its_id_is_all_of_stdout(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    done = create(sealstead, data_dir, environment, name="grace")
    assert done.code == 0
    assert len(done.out.strip()) == 36
    assert done.err == "account grace is there; sign in with this name or grace@example.org\n"
    as_json = create(sealstead, data_dir, environment, "--json", "--admin", name="hopper")
    assert as_json.err == ""
    made = json.loads(as_json.out)
    assert (made["username"], made["email"], made["admin"]) == ("hopper", "hopper@example.org", True)


def test_a_name_or_address_in_use_is_a_conflict(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    create(sealstead, data_dir, environment, name="linus")
    taken = create(sealstead, data_dir, environment, "--json", name="Linus")
    assert taken.code == 1
    assert json.loads(taken.err)["error"]["code"] == "user-name-taken"
    done = sealstead(
        *("admin", "create-user", "other", "--email", "LINUS@example.org", "--password-stdin", "--json"),
        *("--data-dir", data_dir),
        stdin=PASSWORD,
        environment=environment,
    )
    assert json.loads(done.err)["error"]["code"] == "email-taken"


@pytest.mark.parametrize(
    ("name", "address", "password", "code"),
    [
        ("x", "x@example.org", "12345678", "weak-password"),
        ("x", "x@example.org", "", "no-password"),
        ("not a name!", "x@example.org", PASSWORD, "bad-user-name"),
        ("x", "no-address", PASSWORD, "bad-email"),
    ],
)
def test_what_cannot_be_an_account_is_a_usage_error(
    sealstead: Command,
    data_dir: Path,
    environment: dict[str, str],
    *,
    name: str,
    address: str,
    password: str,
    code: str,
) -> None:
    done = sealstead(
        *("admin", "create-user", name, "--email", address, "--password-stdin", "--json"),
        *("--data-dir", data_dir),
        stdin=password,
        environment=environment,
    )
    assert done.code == 2
    assert json.loads(done.err)["error"]["code"] == code
    assert not password or password not in done.err


def test_without_a_terminal_nobody_is_asked(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    done = sealstead(
        *("admin", "create-user", "x", "--email", "x@example.org", "--data-dir", data_dir),
        environment=environment,
    )
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: there is no terminal to ask for the password\n"
        "hint: give it on standard input: --password-stdin\n"
    )


def test_migrating_again_applies_nothing(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    done = sealstead("admin", "migrate", "--data-dir", data_dir, environment=environment)
    assert (done.code, done.out, done.err) == (0, "", "the schema was up to date\n")
    as_json = sealstead("admin", "migrate", "--json", "--data-dir", data_dir, environment=environment)
    assert json.loads(as_json.out) == {"applied": []}


def test_the_data_directory_comes_from_the_environment_too(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    done = sealstead("admin", "migrate", environment={**environment, "SEALSTEAD_DATA_DIR": str(data_dir)})
    assert (done.code, done.err) == (0, "the schema was up to date\n")


def test_no_command_but_serve_and_migrate_makes_a_data_directory(sealstead: Command, tmp_path: Path) -> None:
    done = create(sealstead, tmp_path / "typo", {})
    assert done.code == 1
    assert f"{tmp_path}/typo: there is no data directory" in done.err
    assert f"sealstead serve --data-dir {tmp_path}/typo" in done.err
    assert not (tmp_path / "typo").exists()


def test_a_name_in_use_is_told_before_a_password_is_asked_for(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    create(sealstead, data_dir, environment, name="barbara")
    done = sealstead(
        *("admin", "create-user", "barbara", "--email", "b@example.org", "--data-dir", data_dir),
        environment=environment,
    )
    assert (done.code, done.err) == (1, "error: there already is an account 'barbara'\n")


def test_an_open_key_ring_is_one_problem_with_one_hint(sealstead: Command, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert sealstead("admin", "migrate", "--data-dir", data).code == 0
    (data / "keyring.json").chmod(0o644)
    (data / "sealstead.toml").write_text("")
    (data / "sealstead.toml").chmod(0o644)
    done = sealstead("admin", "check", "--data-dir", data)
    assert (done.code, done.err) == (1, "1 problem\n")
    assert done.out.count(f"chmod 600 {data}/keyring.json") == 1
    assert f"note: {data}/sealstead.toml is open to other users" in done.out


def test_a_healthy_server_has_notes_at_most(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    done = sealstead("admin", "check", "--data-dir", data_dir, environment=environment)
    assert (done.code, done.err) == (0, "no problems\n")
    assert "note: no mail server is set" in done.out
    as_json = json.loads(
        sealstead("admin", "check", "--json", "--data-dir", data_dir, environment=environment).out
    )
    assert as_json["ok"] is True


def check(sealstead: Command, data_dir: Path) -> dict[str, str]:
    done = sealstead("admin", "check", "--json", "--data-dir", data_dir)
    assert done.code == 1
    return {f["code"]: f["message"] for f in json.loads(done.out)["findings"] if f["problem"]}


def test_check_finds_what_is_wrong(sealstead: Command, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert sealstead("admin", "migrate", "--data-dir", data).code == 0
    (data / "db.sqlite3").chmod(0o644)
    (data / "outbox").chmod(0o755)
    assert check(sealstead, data).keys() == {"open-to-others"}
    (data / "db.sqlite3").chmod(0o600)
    (data / "outbox").chmod(0o700)

    (data / "sealstead.toml").write_text('host = "0.0.0.0"\n')
    (data / "sealstead.toml").chmod(0o600)
    assert check(sealstead, data).keys() == {"no-tls"}
    (data / "sealstead.toml").write_text("colour = 1\n")
    assert check(sealstead, data).keys() == {"unknown-setting"}
    (data / "sealstead.toml").unlink()

    with sqlite3.connect(data / "db.sqlite3") as database:
        database.execute("DELETE FROM django_migrations WHERE app = 'audit'")
    database.close()
    assert check(sealstead, data).keys() == {"schema-behind"}
    (data / "keyring.json").unlink()
    assert check(sealstead, data).keys() == {"missing-file"}
    (data / "db.sqlite3").unlink()
    done = create(sealstead, data, {})
    assert done.err == (
        f"error: {data}/keyring.json is missing\nhint: start the server once: sealstead serve --data-dir {data}\n"
    )
    data.chmod(0o755)
    assert check(sealstead, data).keys() == {"unsafe-file"}


def test_a_test_mail_takes_the_way_of_every_mail(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    before = set((data_dir / "outbox").iterdir())
    done = sealstead("admin", "test-mail", "ada@example.org", "--data-dir", data_dir, environment=environment)
    assert (done.code, done.out) == (0, "")
    assert done.err == "written to outbox/: no mail server is set\n"
    (path,) = set((data_dir / "outbox").iterdir()) - before
    assert email.message_from_bytes(path.read_bytes())["To"] == "ada@example.org"


def test_a_mail_server_that_is_not_there_is_an_upstream_error(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    done = sealstead(
        *("admin", "test-mail", "ada@example.org", "--data-dir", data_dir),
        environment={**environment, "SEALSTEAD_SMTP_HOST": "127.0.0.1", "SEALSTEAD_SMTP_PORT": "1"},
    )
    assert done.code == 5
    assert done.err.startswith("error: 127.0.0.1:1 did not take the mail: ConnectionRefusedError\nhint: ")


def test_an_address_that_is_none_is_refused(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    done = sealstead("admin", "test-mail", "nobody", "--data-dir", data_dir, environment=environment)
    assert (done.code, done.err) == (2, "error: 'nobody' is not an e-mail address\n")


def test_the_files_of_the_database_are_the_owner_s_alone(data_dir: Path, environment: dict[str, str]) -> None:
    if environment:
        pytest.skip("PostgreSQL keeps its own files")
    assert (data_dir / "db.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_disabled_account_is_shown_so_and_opened_again(
    sealstead: Command, data_dir: Path, environment: dict[str, str]
) -> None:
    create(sealstead, data_dir, environment, name="closing")

    def admin(*arguments: str) -> Done:
        return sealstead("admin", *arguments, "--data-dir", data_dir, environment=environment)

    def state() -> str:
        rows = json.loads(admin("list-users", "--json").out)
        return next(row["state"] for row in rows if row["username"] == "closing")

    assert state() == "active"
    assert admin("disable-user", "closing").err == "account closing is disabled\n"
    assert state() == "disabled"
    assert json.loads(admin("enable-user", "closing@example.org", "--json").out)["state"] == "active"
    assert state() == "active"
    unknown = admin("disable-user", "nobody")
    assert (unknown.code, unknown.err.splitlines()[0]) == (1, "error: there is no account 'nobody'")
