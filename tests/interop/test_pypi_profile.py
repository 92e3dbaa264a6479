"""The existing tool, `pypi-profile` 0.3.0, and ours: proofs, keys and profiles, both ways, with the real programs."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.architecture.source import REPOSITORY
from tests.cli.profile_place import ProfilePlace
from tests.publisher import Publisher
from tests.vectors.identity import generate

from sealstead.formats.minisign import parse_public_key, parse_secret_key
from sealstead.formats.proof_text import Form, ProofContext, make_proof, verify_proof

pytestmark = pytest.mark.interop

FORMS: tuple[Form, ...] = ("full", "compact", "tiny")


@pytest.fixture(scope="session")
def existing_tool() -> str:
    """The console script of the existing tool, in an environment of its own."""
    found = Path(
        os.environ.get("SEALSTEAD_PYPI_PROFILE", REPOSITORY / ".venv-interop" / "bin" / "pypi-profile")
    )
    if not found.is_file():
        reason = "needs pypi-profile 0.3.0 in .venv-interop (make .venv-interop/.installed)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return str(found)


@pytest.fixture
def place(publisher: Publisher) -> ProfilePlace:
    return ProfilePlace(publisher)


def theirs(tool: str, place: ProfilePlace, *arguments: str) -> str:
    environment = {
        **os.environ,
        "HOME": str(place.home),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "PYTHONUTF8": "1",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [tool, *arguments],
        cwd=place.work,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on this machine: its address, and the directory that it shows."""
    shown = tmp_path / "pages"
    shown.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=shown)
    ) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", shown
        server.shutdown()
        thread.join()


def test_its_proofs_are_ours_to_verify(existing_tool: str, tmp_path: Path) -> None:
    # The worst of each; the kept vectors have them all.
    cases = generate.generate(
        existing_tool, tmp_path, spelling="escaped", users=generate.USERS[-1:], urls=generate.URLS[-1:]
    )
    assert [case["form"] for case in cases] == list(FORMS)
    for case in cases:
        key = parse_public_key(case["public_key"])
        context = ProofContext(package=case["package"], username=case["username"], url=case["url"])
        proved = verify_proof(case["proof"], context, [key], at=datetime.now(UTC) + timedelta(seconds=2))
        assert (proved.form, proved.key_id) == (case["form"], key.id)


_VERIFY = """
import json, sys
from pypi_profile.verifier import find_proof_tokens, status_from_tokens
for case in json.load(sys.stdin):
    print(status_from_tokens(find_proof_tokens(case.pop("page")), **case))
"""


def test_our_proofs_are_its_to_verify(existing_tool: str, place: ProfilePlace) -> None:
    place.run("keygen")
    key = parse_secret_key((place.keys / "minisign.key").read_bytes()).open()
    now = datetime.now(UTC)
    cases = []
    for url in generate.URLS:
        for user in generate.USERS:
            context = ProofContext(package=f"pypi-profile-{user}", username=user, url=url)
            for form in FORMS:
                token = make_proof(
                    key, context, form=form, at=now, expires_at=now + timedelta(days=9), nonce=os.urandom(16)
                )
                case = {
                    "page": f"<p>{token}</p>",
                    "subject_url": url,
                    "pypi_username": user,
                    "profile_package": context.package,
                    "public_key_b64": key.public.line,
                }
                cases += [case, case | {"pypi_username": "eve"}]
    python = Path(existing_tool).with_name("python")
    done = subprocess.run(
        [python, "-c", _VERIFY],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    words = done.stdout.split()
    assert words[::2] == ["verified"] * (len(cases) // 2)
    assert "verified" not in words[1::2]


def test_pages_with_our_proofs_are_verified_by_its_command(
    existing_tool: str, place: ProfilePlace, pages: tuple[str, Path]
) -> None:
    address, shown = pages
    urls = [f"{address}/{name}.html" for name in FORMS]
    place.run("init", "--username", "ada", *(word for url in urls for word in ("--url", url)))
    place.run("keygen")
    for form, url in zip(FORMS, urls, strict=True):
        token = place.run("sign", "--url", url, "--format", form).out
        (shown / f"{form}.html").write_text(f"<html><body>{token}</body></html>")
    told = json.loads(theirs(existing_tool, place, "verify", "--json", "pypi_profile.toml"))
    assert (told["verified"], told["total"]) == (3, 3)


def test_pages_with_its_proofs_are_verified_by_our_command(
    existing_tool: str, place: ProfilePlace, pages: tuple[str, Path]
) -> None:
    address, shown = pages
    place.run(
        "init", "--username", "ada", *(word for form in FORMS for word in ("--url", f"{address}/{form}.html"))
    )
    theirs(existing_tool, place, "keygen", "--no-keyring", "--no-interactive")
    place.run("validate")
    for form in FORMS:
        url = f"{address}/{form}.html"
        told = theirs(
            existing_tool, place, "sign", "--url", url, "--format", form, "--json", "controls-url", "."
        )
        (shown / f"{form}.html").write_text(json.loads(told)["proof"])
    told = place.run("verify", "--allow-private", "--json", code=None)
    assert told.code == 0, told


def test_a_life_with_both_tools(existing_tool: str, place: ProfilePlace) -> None:
    """Its profile and its key, our proofs beside its own, then its own again; neither undoes the other's."""
    theirs(existing_tool, place, "init", "--username", "ada", "--no-interactive")
    theirs(existing_tool, place, "keygen", "--no-keyring", "--no-interactive")
    info = place.run("key-info", "--json").document
    assert info["profile_binding"].startswith("matches")
    place.run("update-proofs")
    ours = place.run("inspect", "--json").document["proofs"]
    assert {each["standing"] for each in ours} == {"good"}
    theirs(existing_tool, place, "update-proofs", "pypi_profile.toml", "--force")
    again = place.run("inspect", "--json").document["proofs"]
    assert {each["standing"] for each in again} == {"good"}
    document = json.loads(theirs(existing_tool, place, "inspect", "pypi_profile.toml", "--json"))
    assert document["schema_ok"] is True
    assert document["verification"]["public_key_present"] is True


def test_our_key_and_profile_are_its_to_use(existing_tool: str, place: ProfilePlace) -> None:
    place.run("init", "--username", "ada", "--url", "https://github.com/ada")
    place.run("keygen")
    theirs(existing_tool, place, "validate", "pypi_profile.toml")
    told = json.loads(
        theirs(existing_tool, place, "sign", "--url", "https://github.com/ada", "--json", "controls-url", ".")
    )
    key = parse_public_key(place.run("key-info", "--json").document["public_key"])
    context = ProofContext(package="pypi-profile-ada", username="ada", url="https://github.com/ada")
    assert verify_proof(told["proof"], context, [key], at=datetime.now(UTC) + timedelta(seconds=2))
