"""`init` and `find-profiles`."""

from __future__ import annotations

import http.server
import json
import threading
import tomllib
from pathlib import Path

import pytest
from tests.cli.profile_place import ProfilePlace
from tests.keys import key

from sealstead.formats.minisign import serialize_public_key


def read(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_init_then_keygen_then_proofs(place: ProfilePlace) -> None:
    """The first five minutes, typed as the help says."""
    told = place.run(
        "init", "--username", "ada", "--url", "https://github.com/ada", "--url", "dns:ada.example"
    )
    assert told.out == "Created pypi_profile.toml\n"
    assert "next: pypi-profile keygen" in told.err
    place.run("keygen")
    place.run("update-proofs")
    place.run("validate", "--strict")
    document = place.run("inspect", "--json").document
    assert [each["standing"] for each in document["proofs"]] == ["good", "good"]


def test_without_a_terminal_nothing_is_invented(place: ProfilePlace) -> None:
    told = place.run("init")
    assert "identity.pypi_username is empty" in told.err
    assert read(place.profile) == {
        "profile": {"kind": "individual", "display_name": "", "summary": ""},
        "identity": {"pypi_username": ""},
        "verification": {"public_key": ""},
    }
    place.run("validate")


def test_at_a_terminal_it_asks(place: ProfilePlace) -> None:
    answers = "ada\nAda Lovelace\nteam\njavascript:alert(1)\nhttps://github.com/ada\ndns:ada.example\n\n"
    told = place.run("init", answers=answers)
    assert "no address of a page" in told.err
    written = read(place.profile)
    assert written["profile"] == {"kind": "team", "display_name": "Ada Lovelace", "summary": ""}
    assert written["profiles"] == [
        {"kind": "github", "label": "GitHub account", "url": "https://github.com/ada"},
        {"kind": "dns", "label": "Domain name", "url": "dns:ada.example"},
    ]


def test_no_question_with_no_interactive(place: ProfilePlace) -> None:
    place.run("init", "--no-interactive", answers="")
    assert place.profile.exists()
    place.run("init", "--interactive", "--force", code=2)


def test_a_file_is_replaced_only_with_force(place: ProfilePlace) -> None:
    place.write("# mine\n")
    before = place.files()
    assert "--force" in place.run("init", "--username", "ada", code=1).err
    assert place.files() == before
    place.run("init", "--username", "ada", "--force")
    assert "# mine" not in place.profile.read_text()
    place.run("init", "--output", "other.toml")
    assert (place.work / "other.toml").exists()
    place.run("init", "--output", "no/such/directory.toml", code=2)


@pytest.mark.parametrize("options", [["--dry-run"], ["--dry-run", "--json"]])
def test_a_dry_run_shows_and_writes_nothing(place: ProfilePlace, options: list[str]) -> None:
    told = place.run("init", "--username", "ada", *options)
    text = told.document["text"] if "--json" in options else told.out
    assert tomllib.loads(text)["identity"] == {"pypi_username": "ada"}
    assert place.files() == {}


def test_the_public_key_of_that_user_alone_goes_in(place: ProfilePlace) -> None:
    place.keys.mkdir()
    (place.keys / "minisign.pub").write_bytes(serialize_public_key(key(1).public))
    (place.keys / "minisign.ada.pub").write_bytes(serialize_public_key(key(2).public))
    assert place.run("init", "--username", "bob", "--json").document["key_id"] is None
    document = place.run("init", "--username", "ada", "--force", "--json").document
    assert document["key_id"] == key(2).public.id
    assert read(place.profile)["verification"] == {"public_key": key(2).public.line}


@pytest.mark.parametrize(
    "options",
    [["--username", "-ada"], ["--username", "a b"], ["--url", "file:///x"], ["--kind", "wizard"]],
)
def test_what_no_index_knows_is_refused(place: ProfilePlace, options: list[str]) -> None:
    place.run("init", *options, code=2)
    assert place.files() == {}


def test_a_resume_is_taken_over(place: ProfilePlace) -> None:
    resume = {
        "basics": {
            "name": "Ada",
            "profiles": [
                {"network": "x", "url": "javascript:1"},
                {"network": "GitHub", "url": "https://github.com/ada"},
            ],
        },
        "work": [{"name": "Analytical"}],
    }
    place.write(json.dumps(resume), "resume.json")
    told = place.run("init", "--username", "ada", "--from-json-resume", "resume.json")
    assert "left out: 'javascript:1'" in told.err
    written = read(place.profile)
    assert written["work_experience"] == [{"organization": "Analytical"}]
    assert written["profiles"] == [{"kind": "github", "label": "GitHub", "url": "https://github.com/ada"}]
    place.run("validate")


@pytest.mark.parametrize(("content", "code"), [("{", 1), ("[]", 1), (None, 2)])
def test_a_broken_resume_writes_nothing(place: ProfilePlace, content: str | None, code: int) -> None:
    if content is not None:
        place.write(content, "resume.json")
    place.run("init", "--from-json-resume", "resume.json", code=code)
    assert not place.profile.exists()


ROLES = b"""<?xml version='1.0'?><methodResponse><params><param><value><array><data>
<value><array><data><value><string>Maintainer</string></value><value><string>engine</string></value></data></array></value>
<value><array><data><value><string>Owner</string></value><value><string>engine</string></value></data></array></value>
<value><array><data><value><string>Maintainer</string></value><value><string>mill</string></value></data></array></value>
</data></array></value></param></params></methodResponse>"""


class Index(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        # Closed with something unread, a connection is reset, and the answer may be lost.
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(ROLES)))
        self.end_headers()
        self.wfile.write(ROLES)

    def log_message(self, *_: object) -> None:
        pass


def test_the_index_is_asked_for_packages(place: ProfilePlace) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        index = f"http://127.0.0.1:{server.server_address[1]}"
        place.run("init", "--username", "ada", "--fetch", "--index-url", index, "--allow-private")
        server.shutdown()
        thread.join()
    assert read(place.profile)["packages"] == [
        {"name": "engine", "role": "owner"},
        {"name": "mill"},
    ]


def test_without_an_answer_the_profile_is_written_all_the_same(place: ProfilePlace) -> None:
    told = place.run("init", "--username", "ada", "--fetch", "--index-url", "http://127.0.0.1:9/")
    assert "the index did not answer" in told.err
    assert "packages" not in read(place.profile)
    told = place.run("init", "--force", "--fetch")
    assert "nothing to ask" in told.err


def test_two_profiles_in_one_directory_are_told_of(place: ProfilePlace) -> None:
    place.write('[tool.pypi-profile.identity]\npypi_username = "grace"\n', "pyproject.toml")
    told = place.run("init", "--username", "ada", "--force")
    assert "[tool.pypi-profile] in pyproject.toml is not" in told.err
    told = place.run("inspect", "--json")
    assert told.document["pypi_username"] == "ada"
    assert any("pyproject.toml is not" in each["message"] for each in told.document["findings"])


def test_no_empty_file_takes_the_place_of_the_profile_in_pyproject(place: ProfilePlace) -> None:
    place.write('[tool.pypi-profile.identity]\npypi_username = "grace"\n', "pyproject.toml")
    told = place.run("init", "--json", code=1)
    assert told.error["code"] == "profile-shadowed"
    assert not place.profile.exists()
    for command in (["key-rotate"], ["update-proofs"], ["validate"]):
        assert "in pyproject.toml: name that file" in place.run(*command, "pypi_profile.toml", code=2).err
    place.run("init", "--output", "other.toml")


def test_a_pyproject_that_is_about_other_things_is_nothing_to_init(place: ProfilePlace) -> None:
    place.write("[project]\nname = 'x'  # not pypi-profile\n", "pyproject.toml")
    place.run("init")
    place.write("[tool.pypi-profile\n", "pyproject.toml")
    told = place.run("init", "--force")
    assert "pyproject.toml:1:" in told.err
    assert "next: pypi-profile keygen" in told.err


def test_hints_of_init(place: ProfilePlace) -> None:
    assert "make the directory no/dir first" in place.run("init", "--output", "no/dir/x", code=2).err
    assert "letters a to z, digits" in place.run("init", "--username", "a b", code=2).err


def test_a_key_that_was_there_before_the_profile(place: ProfilePlace) -> None:
    """Each command says what to do next, and that works."""
    place.run("keygen")
    made = place.run("key-info", "--json").document["key_id"]
    told = place.run("init", "--username", "ada", "--url", "https://github.com/ada")
    assert "next: pypi-profile keygen" in told.err
    step = "update-proofs --keyring-identity default"
    assert step in told.err
    told = place.run("key-info")
    assert made in told.out
    assert "ada has no key: here sign uses the one of default" in told.err
    assert step in told.err
    assert step in place.run("validate").err
    assert step in place.run("update-proofs", code=3).err
    place.run(*step.split())
    assert place.run("validate", "--strict").out.endswith(": OK\n")
    assert place.run("key-info").err == ""


def test_a_key_of_the_user_that_was_there_before_the_profile(place: ProfilePlace) -> None:
    place.run("keygen", "--keyring-identity", "ada")
    place.write('[identity]\npypi_username = "ada"\n')
    step = "update-proofs writes the key of ada there"
    assert step in place.run("validate").err
    assert step in place.run("key-info").err
    told = place.run("update-proofs")
    assert "names key" in told.err
    place.run("validate", "--strict")
    assert "nothing was written" in place.run("update-proofs").err


# find-profiles


def test_profiles_are_found_below_a_directory(place: ProfilePlace) -> None:
    for name in ("a/b", "z", "node_modules/x", ".git", "venv", "deep/1/2/3/4/5/6", "broken", "other", "far"):
        (place.work / name).mkdir(parents=True)
    for name in ("a/b", "node_modules/x", ".git", "venv", "deep/1/2/3/4/5", "deep/1/2/3/4/5/6"):
        place.write("", f"{name}/pypi_profile.toml")
    place.write("[tool.pypi-profile]\n", "z/pyproject.toml")
    place.write("[tool.pypi-profile\n", "broken/pyproject.toml")
    place.write("[tool.ruff]\n# pypi-profile\n", "other/pyproject.toml")
    (place.work / "loop").symlink_to(place.work)
    expected = [
        str(place.work / name)
        for name in ("a/b/pypi_profile.toml", "deep/1/2/3/4/5/pypi_profile.toml", "z/pyproject.toml")
    ]
    assert place.run("find-profiles").out.splitlines() == expected
    assert place.run("find-profiles", ".", "--json").document == {
        "root": str(place.work),
        "matches": expected,
    }
    assert place.run("find-profiles", "--depth", "1").out.splitlines() == expected[2:]
    assert place.run("find-profiles", "far").out == ""
    place.run("find-profiles", "nowhere", code=2)
