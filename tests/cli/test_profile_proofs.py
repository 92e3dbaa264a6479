"""`sign`, `update-proofs`, `validate`, `inspect`, `dump`: what a person sees, what is written, how they end."""

from __future__ import annotations

import json
import subprocess
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.profile_place import ProfilePlace
from tests.keys import key, key_file
from tests.programs import require_program

from sealstead.formats.minisign import parse_public_key, serialize_public_key
from sealstead.formats.proof_text import ProofContext, make_proof, parse_proof, verify_proof
from sealstead.formats.statement import Reason, make_revocation, make_rotation

NOW = datetime.now(UTC).replace(microsecond=0)
KEY = key(1)
PAGES = ("https://ada.example/home", "https://ada.example/blog?a=1", "dns:ada.example")
PROFILE = """\
# written by hand
[identity]
pypi_username = "ada"

[[profiles]]
kind = "website"
label = "Home"
url = "https://ada.example/home"   # the old one

[[profiles]]
  kind = 'website'
  label = 'Blog'
  url = 'https://ada.example/blog?a=1'

[extra]
public_key = "keep me"

[verification]
public_key = ""
profiles = 'unknown, and kept'

[[profiles]]
kind = "domain"
label = "Domain"
url = "dns:ada.example"
"""


def with_key(place: ProfilePlace, text: str = PROFILE, number: int = 1) -> None:
    place.write(text.replace('public_key = ""', f'public_key = "{key(number).public.line}"'))
    place.keys.mkdir(mode=0o700, exist_ok=True)
    (place.keys / "minisign.ada.key").write_bytes(key_file(number))
    (place.keys / "minisign.ada.key").chmod(0o600)


def proof(url: str = PAGES[0], *, by: int = 1, at: datetime = NOW, days: int = 365, user: str = "ada") -> str:
    context = ProofContext(package=f"pypi-profile-{user}", username=user, url=url)
    return make_proof(
        key(by), context, form="compact", at=at, expires_at=at + timedelta(days=days), nonce=bytes(16)
    )


def stored(text: str, *tokens: str) -> str:
    for url, token in zip(PAGES, tokens, strict=False):
        line = next(line for line in text.splitlines() if "url =" in line and url in line)
        text = text.replace(f"{line}\n", f'{line}\nstored_proof = "{token}"\n')
    return text


def proofs_in(place: ProfilePlace) -> list[str]:
    profiles = tomllib.loads(place.profile.read_text(encoding="utf-8"))["profiles"]
    return [each.get("stored_proof", "") for each in profiles]


# sign


@pytest.mark.parametrize("words", [[], ["pypi_profile.toml"], ["controls-url"], ["controls-url", "."]])
def test_sign_prints_the_proof_and_where_it_goes(place: ProfilePlace, words: list[str]) -> None:
    with_key(place)
    before = place.files()
    told = place.run("sign", *words, "--url", PAGES[0])
    context = ProofContext(package="pypi-profile-ada", username="ada", url=PAGES[0])
    assert verify_proof(told.out.strip(), context, [KEY.public], at=NOW + timedelta(seconds=5)).form == "full"
    assert "put it here: anywhere on the page" in told.err
    assert place.files() == before


@pytest.mark.parametrize(
    ("options", "form", "days"),
    [
        (["--format", "compact", "--expires", "30d"], "compact", 30),
        (["--compact"], "compact", 365),
        (["--expires", "2099-12-31"], "full", None),
        (["--format", "tiny"], "tiny", None),
    ],
)
def test_sign_in_every_form_with_a_chosen_end(
    place: ProfilePlace, options: list[str], form: str, days: int | None
) -> None:
    with_key(place)
    document = place.run("sign", "--url", PAGES[0], "--json", *options).document
    assert (document["format"], document["key_id"]) == (form, KEY.public.id)
    assert (document["claim_type"], document["pypi_username"]) == ("controls-url", "ada")
    assert (document["profile_package"], document["url"]) == ("pypi-profile-ada", PAGES[0])
    ends = datetime.fromisoformat(document["expires_at"])
    if days:
        assert abs(ends - NOW - timedelta(days=days)) < timedelta(days=2)
    elif form == "full":
        assert ends == datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 2),
        (["--url", "javascript:alert(1)"], 2),
        (["--url", "file:///etc/passwd"], 2),
        (["--url", "https://user:password@ada.example/"], 2),
        (["--url", "https://"], 2),
        (["--url", "https://[::1/"], 2),
        (["--url", ""], 2),
        (["--url", PAGES[0], "--expires", "0d"], 2),
        (["--url", PAGES[0], "--expires", "1999-01-01"], 2),
        (["--url", PAGES[0], "--expires", "2027-02-30"], 2),
        (["--url", PAGES[0], "--format", "fingerprint"], 2),
        (["--url", PAGES[0], "--format", "tiny", "--expires", "9d"], 2),
        (["--url", PAGES[0], "--compact", "--format", "full"], 2),
        (["--url", PAGES[0], "owns-company", "."], 2),
        (["--url", PAGES[0], "nowhere.toml"], 2),
        (["--url", PAGES[0], "--keyring-identity", "bob"], 3),
        (["--url", PAGES[0], "--key", "nothing.key"], 3),
    ],
)
def test_sign_refuses(place: ProfilePlace, options: list[str], code: int) -> None:
    with_key(place)
    told = place.run("sign", *options, code=code)
    assert told.out == ""
    assert "\nerror: " in f"\n{told.err}"
    again = place.run("sign", *options, "--json", code=code)
    assert (again.out, again.error["exit_code"]) == ("", code)


@pytest.mark.parametrize("answer", ["2", PAGES[1]])
def test_at_a_terminal_sign_asks_for_the_page(place: ProfilePlace, answer: str) -> None:
    with_key(place)
    told = place.run("sign", answers=f"{answer}\n")
    assert f"  2  {PAGES[1]}" in told.err
    token = told.out.strip().splitlines()[-1]
    assert parse_proof(token).context.url == PAGES[1]


def test_a_tiny_proof_says_when_it_ends_whatever_was_asked(place: ProfilePlace) -> None:
    context = ProofContext(package="pypi-profile-ada", username="ada", url=PAGES[0])
    tiny = make_proof(KEY, context, form="tiny", at=NOW, expires_at=NOW, nonce=b"")
    with_key(place, stored(PROFILE, tiny))
    told = place.run("sign", "--url", PAGES[0], "--expires", "30d")
    assert f"this one ends on {NOW.year + 3}-01-01" in told.err
    told = place.run("update-proofs", "--force", "--url", PAGES[0], "--expires", "30d")
    assert "tiny proofs have no end of their own" in told.err
    assert proofs_in(place)[0].startswith("t:")


def test_sign_without_a_key_or_a_profile(place: ProfilePlace) -> None:
    assert "there is no profile here" in place.run("sign", "--url", PAGES[0], code=2).err
    place.write(PROFILE)
    before = place.files()
    assert "no key of ada" in place.run("sign", "--url", PAGES[0], code=3).err
    assert place.files() == before


def test_sign_uses_only_the_key_that_the_profile_names(place: ProfilePlace) -> None:
    with_key(place)
    other = place.work / "other.key"
    other.write_bytes(key_file(2))
    other.chmod(0o600)
    told = place.run("sign", "--url", PAGES[0], "--key", other, code=3)
    assert KEY.public.id in told.err
    assert key(2).public.id in told.err
    sealed = place.work / "sealed.key"
    sealed.write_bytes(key_file(2, "pass"))
    sealed.chmod(0o600)
    told = place.run("sign", "--url", PAGES[0], "--key", sealed, "--password-stdin", stdin="pass\n", code=3)
    assert told.out == ""


def test_sign_with_an_encrypted_key(place: ProfilePlace) -> None:
    with_key(place)
    (place.keys / "minisign.ada.key").write_bytes(key_file(1, "correct horse"))
    place.run("sign", "--url", PAGES[0], code=3)
    place.run("sign", "--url", PAGES[0], "--password-stdin", stdin="wrong\n", code=3)
    place.run("sign", "--url", PAGES[0], "--password-stdin", stdin="correct horse\n")
    place.publisher.environment["PYPI_PROFILE_KEY_PASSWORD"] = "correct horse"
    place.run("sign", "--url", PAGES[0])


def test_sign_with_a_revoked_key_is_refused(place: ProfilePlace) -> None:
    statement = make_revocation(
        KEY, KEY.public, issued_at=NOW, revoked_at=NOW - timedelta(days=1), reason=Reason.COMPROMISED
    )
    text = PROFILE.replace('public_key = ""', f'public_key = ""\nstatements = [{json.dumps(statement)}]')
    with_key(place, text)
    told = place.run("sign", "--url", PAGES[0], "--json", code=3)
    assert told.error["code"] == "key-revoked"
    assert "revoked" in place.run("update-proofs", code=3).err
    assert "was revoked on" in place.run("validate", code=1).err


def test_a_claim_as_files_that_minisign_checks(place: ProfilePlace) -> None:
    with_key(place)
    told = place.run("sign", "--url", PAGES[0], "--write-minisig", "claim.json")
    claim = json.loads((place.work / "claim.json").read_text())
    assert claim["subject"] == PAGES[0]
    command = [require_program("minisign"), "-V", "-m", "claim.json", "-P", KEY.public.line]
    done = subprocess.run(command, cwd=place.work, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Trusted comment: timestamp:" in done.stdout
    assert verify_proof(
        told.out.strip(),
        ProofContext(package="pypi-profile-ada", username="ada", url=PAGES[0]),
        [KEY.public],
        at=NOW + timedelta(seconds=9),
    )
    before = place.files()
    place.run("sign", "--url", PAGES[1], "--write-minisig", "claim.json", code=1)
    assert place.files() == before
    place.run("sign", "--url", PAGES[1], "--write-minisig", "claim.json", "--force")
    assert json.loads((place.work / "claim.json").read_text())["subject"] == PAGES[1]


@pytest.mark.parametrize("name", ["minisign.ada.key", "copy", "sealed"])
def test_force_replaces_no_secret_key(place: ProfilePlace, name: str) -> None:
    """The only copy, an encrypted one, and one under the name of the signature."""
    with_key(place)
    (place.keys / "copy.minisig").write_bytes(key_file(2))
    (place.keys / "sealed").write_bytes(key_file(3, passphrase="secret"))
    before = place.files()
    told = place.run(
        "sign", "--url", PAGES[0], "--write-minisig", place.keys / name, "--force", "--json", code=1
    )
    assert told.error["code"] == "secret-key-there"
    assert place.files() == before


@pytest.mark.parametrize("name", ["minisign.ada.pub", "keys.json", "minisign.bob.key", "claim.json"])
def test_force_writes_nothing_among_the_keys(place: ProfilePlace, name: str) -> None:
    with_key(place)
    (place.keys / "minisign.ada.pub").write_bytes(serialize_public_key(KEY.public))
    (place.keys / "keys.json").write_text("{}")
    before = place.files()
    told = place.run(
        "sign", "--url", PAGES[0], "--write-minisig", place.keys / name, "--force", "--json", code=1
    )
    assert told.error["code"] == "key-in-the-way"
    place.run("init", "--force", "--output", place.keys / name, code=1)
    assert place.files() == before


@pytest.mark.parametrize("taken", ["mine", "mine.minisig"])
def test_force_replaces_an_older_claim_and_nothing_else(place: ProfilePlace, taken: str) -> None:
    with_key(place)
    (place.work / taken).write_bytes(serialize_public_key(KEY.public))
    before = place.files()
    told = place.run("sign", "--url", PAGES[0], "--write-minisig", "mine", "--force", "--json", code=1)
    assert told.error["code"] == "other-content"
    assert place.files() == before


@pytest.mark.parametrize("name", ["no/such/claim", "sealstead-statement"])
def test_a_claim_never_looks_like_a_statement(place: ProfilePlace, name: str) -> None:
    with_key(place)
    before = place.files()
    place.run("sign", "--url", PAGES[0], "--write-minisig", name, code=2)
    assert place.files() == before


@pytest.mark.parametrize("year", [1901, 1969, 1970, 2020])
@pytest.mark.parametrize(
    "command",
    [["sign", "--url", PAGES[0]], ["sign", "--url", PAGES[0], "--format", "tiny"], ["update-proofs"]],
)
def test_a_clock_that_cannot_be_right_signs_nothing(
    place: ProfilePlace, monkeypatch: pytest.MonkeyPatch, command: list[str], year: int
) -> None:
    with_key(place)
    before = place.files()
    monkeypatch.setattr("sealstead.clock.SystemClock.now", lambda _: datetime(year, 7, 20, tzinfo=UTC))
    told = place.run(*command, "--json", code=1)
    assert (told.out, told.error["code"]) == ("", "clock")
    assert place.files() == before
    place.run("inspect")


def test_a_clock_that_was_moved_back_does_not_take_proofs_for_good(
    place: ProfilePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_key(place, stored(PROFILE, proof(PAGES[0])))
    monkeypatch.setattr("sealstead.clock.SystemClock.now", lambda _: NOW - timedelta(days=30))
    assert "which is still to come" in place.run("validate", code=1).err


# update-proofs


def test_update_proofs_signs_what_is_missing_and_changes_nothing_else(place: ProfilePlace) -> None:
    with_key(place)
    before = place.profile.read_text()
    told = place.run("update-proofs")
    tokens = proofs_in(place)
    assert place.profile.read_text() == (
        before.replace("# the old one\n", f'# the old one\nstored_proof = "{tokens[0]}"\n')
        .replace("blog?a=1'\n", f'blog?a=1\'\n  stored_proof = "{tokens[1]}"\n')
        .replace('"dns:ada.example"\n', f'"dns:ada.example"\nstored_proof = "{tokens[2]}"\n')
    )
    for url, token in zip(PAGES, tokens, strict=True):
        context = ProofContext(package="pypi-profile-ada", username="ada", url=url)
        assert verify_proof(token, context, [KEY.public], at=NOW + timedelta(seconds=9))
        assert token in told.out
        assert url in told.out
    assert "a TXT record of ada.example" in told.out
    assert place.run("validate").out == "pypi_profile.toml: OK\n"
    again = place.files()
    assert "every proof is good" in place.run("update-proofs").err
    assert place.files() == again


def test_update_proofs_renews_what_expired_or_is_of_another_key_or_page(place: ProfilePlace) -> None:
    old = proof(PAGES[0], at=NOW - timedelta(days=400))
    stranger = proof(PAGES[1], by=2)
    moved = proof("https://elsewhere.example/")
    with_key(place, stored(PROFILE, old, stranger, moved))
    err = place.run("validate", code=1).err
    assert "expired on" in err
    assert "signature of the proof does not fit" in err
    assert "a proof for the page 'https://elsewhere.example/'" in err
    document = place.run("update-proofs", "--json").document
    assert (document["updated_urls"], document["updated_count"]) == (list(PAGES), 3)
    assert [each["format"] for each in document["proofs"]] == ["compact"] * 3
    place.run("validate")


def test_update_proofs_of_chosen_pages_and_of_all(place: ProfilePlace) -> None:
    with_key(place, stored(PROFILE, proof(PAGES[0])))
    document = place.run("update-proofs", "--url", PAGES[1], "--json").document
    assert document["updated_urls"] == [PAGES[1]]
    place.run("update-proofs", "--url", "https://not.listed.example", code=2)
    tokens = proofs_in(place)
    assert place.run("update-proofs", "--force", "--json").document["updated_count"] == 3
    assert not set(tokens) & set(proofs_in(place))


def test_what_ends_soon_is_told_and_renewed(place: ProfilePlace) -> None:
    with_key(place, stored(PROFILE, proof(PAGES[0], days=20), proof(PAGES[1], days=40), proof(PAGES[2])))
    before = place.files()
    assert place.run("validate", "--expiring-within", "15d").code == 0
    told = place.run("validate", "--expiring-within", "30d", code=4)
    assert PAGES[0] in told.err
    assert PAGES[1] not in told.err
    told = place.run("update-proofs", "--expiring-within", "30d", "--dry-run", code=4)
    assert told.out.startswith(PAGES[0])
    place.run("update-proofs", "--expiring-within", "15d", "--dry-run")
    assert place.files() == before
    document = place.run("update-proofs", "--expiring-within", "30d", "--expires", "90d", "--json").document
    assert document["updated_urls"] == [PAGES[0]]
    place.run("validate", "--expiring-within", "30d")
    place.run("validate", "--expiring-within", "soon", code=2)


def test_what_a_retiring_key_signed_ends_when_it_retires(place: ProfilePlace) -> None:
    rotation = make_rotation(key(2), KEY, issued_at=NOW, retires_at=NOW + timedelta(days=7))
    text = PROFILE.replace('public_key = ""', f'public_key = ""\nstatements = [{json.dumps(rotation)}]')
    with_key(place, stored(text, proof(PAGES[0], by=2), proof(PAGES[1]), proof(PAGES[2])))
    place.run("validate", "--expiring-within", "6d")
    assert PAGES[0] in place.run("validate", "--expiring-within", "8d", code=4).err
    document = place.run("update-proofs", "--expiring-within", "8d", "--json").document
    assert document["updated_urls"] == [PAGES[0]]
    place.run("validate", "--expiring-within", "8d")


def test_a_page_that_nobody_can_sign_does_not_stop_the_others(place: ProfilePlace) -> None:
    with_key(place, PROFILE.replace(PAGES[1], "javascript:alert(1)"))
    told = place.run("update-proofs", "--json", code=1)
    assert told.document["updated_urls"] == [PAGES[0], PAGES[2]]
    assert told.document["refused"][0]["url"] == "javascript:alert(1)"
    assert proofs_in(place)[1] == ""


@pytest.mark.parametrize("options", [["--dry-run"], ["--dry-run", "--json"]])
def test_a_dry_run_writes_nothing(place: ProfilePlace, options: list[str]) -> None:
    with_key(place)
    before = place.files()
    told = place.run("update-proofs", *options)
    assert PAGES[0] in told.out
    place.run("sign", "--url", PAGES[0], *options)
    assert place.files() == before


def test_an_empty_public_key_is_filled_with_the_key_of_that_identity_alone(place: ProfilePlace) -> None:
    """The existing tool puts in whatever key is called default."""
    place.write(PROFILE)
    place.keys.mkdir(mode=0o700)
    (place.keys / "minisign.key").write_bytes(key_file(2))
    (place.keys / "minisign.key").chmod(0o600)
    before = place.files()
    told = place.run("update-proofs", code=3)
    assert "no key of ada, only of default" in told.err
    assert place.files() == before
    place.run("update-proofs", "--keyring-identity", "default")
    assert f'public_key = "{key(2).public.line}"' in place.profile.read_text()
    assert place.profile.read_text().count("keep me") == 1
    place.run("validate")


@pytest.mark.parametrize("command", [["update-proofs"], ["sign", "--url", PAGES[0]]])
def test_without_a_user_name_nothing_is_signed(place: ProfilePlace, command: list[str]) -> None:
    with_key(place, PROFILE.replace('"ada"', '""'))
    (place.keys / "minisign.ada.key").rename(place.keys / "minisign.key")
    before = place.files()
    assert "no identity.pypi_username" in place.run(*command, code=2).err
    assert place.files() == before


def test_a_profile_in_pyproject_is_signed_where_it_is(place: ProfilePlace) -> None:
    with_key(place, PROFILE.replace("[extra]\n", "").replace("keep me", ""))
    text = (
        '[project]\nname = "x" # mine\n\n[tool.pypi-profile.identity]\npypi_username = "ada"\n\n'
        f'[[tool.pypi-profile.profiles]]\nkind = "a"\nlabel = "b"\nurl = "{PAGES[0]}"\n\n'
        f'[tool.pypi-profile]\nverification = {{ public_key = "{KEY.public.line}" }}\n'
    )
    place.profile.unlink()
    place.write(text, "pyproject.toml")
    place.run("update-proofs")
    token = tomllib.loads((place.work / "pyproject.toml").read_text())["tool"]["pypi-profile"]["profiles"][0]
    assert parse_proof(token["stored_proof"]).context.url == PAGES[0]
    place.run("validate")


def test_a_package_of_another_name_stays(place: ProfilePlace) -> None:
    with_key(place)
    place.run("update-proofs", "--profile-package", "about-ada")
    assert {parse_proof(token).context.package for token in proofs_in(place)} == {"about-ada"}
    place.run("validate")
    place.run("update-proofs", "--force")
    assert {parse_proof(token).context.package for token in proofs_in(place)} == {"about-ada"}
    place.run("validate", "--profile-package", "pypi-profile-ada", code=1)


# validate, inspect, dump


READING = (
    ["validate"],
    ["inspect"],
    ["inspect", "--json"],
    ["dump"],
    ["sign", "--url", PAGES[0]],
    ["validate", "--json"],
)


@pytest.mark.parametrize("command", READING)
def test_reading_never_writes(place: ProfilePlace, command: list[str]) -> None:
    """The existing tool fills in a public key while it reads, and of the wrong identity."""
    place.write(PROFILE)
    place.keys.mkdir(mode=0o700)
    (place.keys / "minisign.key").write_bytes(key_file(2))
    (place.keys / "minisign.key").chmod(0o600)
    (place.keys / "minisign.pub").write_text(key(2).public.line)
    before = place.files()
    place.run(*command)
    assert place.files() == before


@pytest.mark.parametrize("command", [*READING, ["update-proofs"]])
@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"[profile\n", "pypi_profile.toml:1:9: not TOML"),
        (b'[identity]\npypi_username = "caf\xe9"\n', "pypi_profile.toml:2:21: not UTF-8"),
        (b"[profile]\nkind = 3\n", "pypi_profile.toml:2:1: profile.kind: must be a string"),
    ],
)
def test_a_broken_profile_is_one_line_with_its_place(
    place: ProfilePlace, command: list[str], content: bytes, fact: str
) -> None:
    place.profile.write_bytes(content)
    told = place.run(*command, code=1)
    assert told.out == ""
    assert fact in told.err
    if "--json" in command:
        assert told.error["message"].startswith(fact)


def test_validate_lists_every_mistake(place: ProfilePlace) -> None:
    place.write("[profile]\nkind = 3\nsummary = 4\n[[packages]]\n")
    told = place.run("validate", code=1)
    assert [line.split(": ")[0] for line in told.err.splitlines()[:3]] == [
        "pypi_profile.toml:2:1",
        "pypi_profile.toml:3:1",
        "pypi_profile.toml:4:1",
    ]


def test_validate_warns_of_typos_and_strict_fails(place: ProfilePlace) -> None:
    with_key(
        place, PROFILE.replace("profiles = 'unknown, and kept'\n", "").replace("[extra]", "[verificaton]")
    )
    told = place.run("validate")
    assert "unknown key verificaton (did you mean verification?)" in told.err
    assert told.out == "pypi_profile.toml: OK\n"
    place.run("validate", "--strict", code=1)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (('public_key = ""', 'public_key = "RWQnonsense"'), "verification.public_key: "),
        (
            ('public_key = ""', 'public_key = ""\nstatements = ["lol"]'),
            "verification.statements: statement 1 counts for nothing",
        ),
        (('"ada"', '"-ada"'), "identity.pypi_username: "),
        ((PAGES[1], "file:///etc/passwd"), "profiles[2].url: "),
        (("[extra]", '[[packages]]\nname="x"\nurl = "javascript:1"\n[extra]'), "packages[1].url: "),
    ],
)
def test_what_looks_well_and_is_not_fails(place: ProfilePlace, change: tuple[str, str], fact: str) -> None:
    """The existing tool finds all of these in order."""
    path = place.write(PROFILE.replace(*change))
    told = place.run("validate", code=1)
    (error,) = [line for line in told.err.splitlines() if line.startswith("error: ")]
    file, line, _, said = error.removeprefix("error: ").split(":", 3)
    assert file == "pypi_profile.toml"
    assert said.startswith(f" {fact}")
    there = path.read_text().splitlines()[int(line) - 1]
    assert there.strip().startswith(fact.partition(":")[0].rpartition(".")[2])
    document = place.run("validate", "--json", code=1).document
    assert document["ok"] is False
    assert any(each["level"] == "error" for each in document["findings"])


def test_a_word_written_by_hand_proves_nothing(place: ProfilePlace) -> None:
    """The existing site shows any stored text, and the word `verified`, as a verified page."""
    with_key(
        place, stored(PROFILE, "lol").replace('label = "Home"', 'label = "Home"\nverification = "verified"')
    )
    told = place.run("validate", code=1)
    assert "profiles[1].stored_proof: not a proof" in told.err
    assert "profiles[1].verification: written by hand, and believed by nobody" in told.err
    standing = place.run("inspect", "--json", code=1).document["proofs"][0]["standing"]
    assert standing == "invalid"


def test_inspect_shows_key_proofs_and_where_the_secret_key_is(place: ProfilePlace) -> None:
    with_key(place, stored(PROFILE, proof(PAGES[0])))
    told = place.run("inspect")
    assert KEY.public.id in told.out
    assert "1 good, 2 missing" in told.out
    document = place.run("inspect", "--json").document
    assert document["counts"] == {"packages": 0, "projects": 0, "humans": 0, "profiles": 3}
    assert document["verification"]["signing_key"] == str(place.keys / "minisign.ada.key")
    assert document["verification"]["key_id"] == KEY.public.id
    assert (document["kind"], document["pypi_username"], document["schema_ok"]) == ("individual", "ada", True)


def test_dump_writes_the_whole_profile(place: ProfilePlace) -> None:
    with_key(place)
    document = place.run("dump").document
    assert [each["url"] for each in document["profiles"]] == list(PAGES)
    assert document["profiles"][0]["rel_me"] is False
    assert document["hiring"]["work_model"] == []
    assert parse_public_key(document["verification"]["public_key"]) == KEY.public


def test_nothing_there(place: ProfilePlace) -> None:
    for command in ("validate", "inspect", "dump"):
        told = place.run(command, "--json", code=2)
        assert told.error["code"] == "no-profile"
        place.run(command, Path("no") / "where.toml", code=2)


def test_strict_says_why_it_fails(place: ProfilePlace) -> None:
    with_key(place)
    place.run("update-proofs")
    told = place.run("validate", "--strict", code=1)
    assert "OK" not in told.out
    assert "with --strict, warnings are errors" in told.err
    assert place.run("validate", "--strict", "--json", code=1).document["ok"] is False
    assert place.run("validate").out == "pypi_profile.toml: OK\n"


@pytest.mark.parametrize("command", ["validate", "inspect"])
def test_a_wrong_duration_is_told_before_anything_else(place: ProfilePlace, command: str) -> None:
    with_key(place)
    assert place.run(command, "--expiring-within", "30x", code=2).out == ""


def test_a_claim_with_a_typo(place: ProfilePlace) -> None:
    with_key(place)
    told = place.run("sign", "controls-urls", "--url", PAGES[0], code=2)
    assert "did you mean controls-url?" in told.err
    assert "without a name" in place.run("sign", "nothing", "--url", PAGES[0], code=2).err


def test_no_proof_is_for_what_cannot_be_a_distribution(place: ProfilePlace) -> None:
    """The existing tool signs whatever it is given."""
    with_key(place)
    told = place.run("sign", "--profile-package", "a b", "--url", PAGES[0], "--json", code=2)
    assert (told.error["code"], told.out) == ("claim", "")
    assert "'a b' is not a name that a distribution can have" in told.error["message"]


def test_a_broken_profile_is_in_the_way_of_what_needs_it_alone(place: ProfilePlace) -> None:
    place.write('[profile]\nkind = "robot"\n')
    place.run("keygen", code=1)
    place.run("key-info", code=1)
    told = place.run("keygen", "--keyring-identity", "work")
    assert "'robot' is none of the known words (one of" in told.err
    assert "robot" in place.run("key-info", "--keyring-identity", "work").err
    assert "unknown while the profile cannot be read" in place.run("doctor", code=1).out
    (place.work / "file").write_text("x")
    named = ("--keyring-identity", "work")
    for command in (
        ["sign-file", "file"],
        ["verify-file", "file"],
        ["key-export", "--output", "copy.key", "--no-password"],
        ["key-password", "set", "--password-stdin", "--dry-run"],
    ):
        place.run(*command, *named, stdin="pass\n")
    before = place.files()
    for command in (["key-rotate"], ["key-recover"], ["key-revoke", "--force"], ["key-import", "copy.key"]):
        told = place.run(*command, *named, code=1)
        assert "'robot' is none of the known words" in told.err
        assert "see validate; or run this in a directory without a profile" in told.err
    assert place.files() == before
    place.write("kind: robot\n")
    assert "text in quotes" in place.run("validate", code=1).err
