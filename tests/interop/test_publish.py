"""The real twine and uv against a real server: they publish, and their default output says why they may not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from pypitoken import Token
from tests.factories import make_sdist, make_wheel
from tests.server_process import Server
from tests.uploads import body_of, send

SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """One client program, an account's tokens, and what the program said."""

    program: str
    server: Server
    token: str
    user: str

    def publish(
        self, *paths: Path, token: str | None = None, user: str = "__token__", options: tuple[str, ...] = ()
    ) -> tuple[int, str]:
        secret = self.token if token is None else token
        if self.program == "twine":
            command = [
                SCRIPTS / "twine",
                "upload",
                "--non-interactive",
                "--disable-progress-bar",
                "--repository-url",
            ]
        else:
            command = [
                SCRIPTS / "uv",
                "publish",
                "--no-progress",
                "--trusted-publishing",
                "never",
                "--publish-url",
            ]
        home = paths[0].parent
        done = subprocess.run(
            [
                *command,
                self.server.url + "/legacy/",
                "--username",
                user,
                "--password",
                secret,
                *options,
                *paths,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "COLUMNS": "80",
                "NO_COLOR": "1",
                "UV_NO_CONFIG": "1",
                "UV_CACHE_DIR": str(home / "cache"),
                "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            },
        )
        # Both wrap long lines; what matters are the words.
        return done.returncode, re.sub(r"\s+", " ", done.stdout + " " + done.stderr)

    def token_for(self, project: str) -> str:
        return self.server.admin(
            "create-token", "--user", self.user, "--name", f"only-{project}", "--project", project
        ).strip()


@pytest.fixture(scope="module")
def accounts(server: Server) -> dict[str, str]:
    """Two accounts of the shared server: name and token for all projects."""
    tokens = {}
    for name in ("interop-ada", "interop-grace"):
        server.admin(
            "create-user", name, "--email", f"{name}@example.org", "--password-stdin", stdin="correct horse battery\n"
        )  # fmt: skip
        tokens[name] = server.admin("create-token", "--user", name, "--name", "all", "--all-projects").strip()
    return tokens


@pytest.fixture(params=["twine", "uv"])
def publisher(request: pytest.FixtureRequest, server: Server, accounts: dict[str, str]) -> Publisher:
    return Publisher(program=request.param, server=server, token=accounts["interop-ada"], user="interop-ada")


def refused(publisher: Publisher, *paths: Path, text: str, **given: str) -> None:
    status, output = publisher.publish(*paths, **given)  # type: ignore[arg-type]
    assert status != 0
    assert text in output


def test_wheel_and_sdist_are_published(publisher: Publisher, tmp_path: Path) -> None:
    name = f"published-{publisher.program}"
    fields = {
        "Classifier": ["Programming Language :: Python :: 3"],
        "Requires-Dist": ["requests>=2; python_version > '3'"],
        "Project-URL": ["Home, https://example.org/"],
        "Keywords": "one,two",
        "Author-email": "Ada <ada@example.org>",
        "Requires-Python": ">=3.9",
    }
    wheel = make_wheel(tmp_path, name, "1.0", fields=fields, description="# Hello\n")
    sdist = make_sdist(tmp_path, name, "1.0", fields=fields, description="# Hello\n")
    status, output = publisher.publish(wheel, sdist)
    assert status == 0, output
    # Again: nothing is done, and that is no error.
    status, output = publisher.publish(wheel, sdist)
    assert status == 0, output


def test_what_build_tools_make_is_taken(publisher: Publisher, tmp_path: Path) -> None:
    name = f"built-{publisher.program}"
    source = tmp_path / "source"
    (source / "src" / "built").mkdir(parents=True)
    (source / "src" / "built" / "__init__.py").write_text('"""Built."""\n')
    (source / "LICENSE").write_text("Nobody's rights are reserved.\n")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n'
        f'[project]\nname = "{name}"\nversion = "1.0"\ndescription = "Built"\nlicense = "0BSD"\n'
        'license-files = ["LICENSE"]\n[project.scripts]\nbuilt = "built:main"\n'
    )
    subprocess.run(
        [SCRIPTS / "uv", "build", "--no-build-isolation", "--offline", "--no-config", "--python", sys.executable, "--out-dir", tmp_path / "dist", source],
        check=True,
        capture_output=True,
        timeout=300,
        env=os.environ | {"UV_CACHE_DIR": str(tmp_path / "cache")},
    )  # fmt: skip
    status, output = publisher.publish(*sorted((tmp_path / "dist").glob("built*")))
    assert status == 0, output


def test_a_trailing_newline_is_tolerated(publisher: Publisher, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, f"newline-{publisher.program}", "1.0")
    status, output = publisher.publish(path, token=publisher.token + "\n")
    assert status == 0, output


@pytest.mark.parametrize("token", ["pypi-AgEIcHlwaS5vcmc", "nonsense"])
def test_an_unknown_token(publisher: Publisher, tmp_path: Path, token: str) -> None:
    path = make_wheel(tmp_path, "unknown", "1.0")
    text = "Invalid or non-existent authentication information. See http://127.0.0.1:"
    refused(publisher, path, token=token, text=text)


def test_a_tampered_token(publisher: Publisher, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "tampered", "1.0")
    changed = publisher.token[:-5] + ("A" if publisher.token[-5] != "A" else "B") + publisher.token[-4:]
    refused(publisher, path, token=changed, text="Invalid or non-existent authentication information.")


def test_a_password(publisher: Publisher, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "password", "1.0")
    text = (
        "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted Publishers"
    )
    refused(publisher, path, user="interop-ada", token="correct horse battery", text=text)


def test_another_project_s_token(publisher: Publisher, tmp_path: Path) -> None:
    mine, other = f"mine-{publisher.program}", f"other-{publisher.program}"
    for name in (mine, other):
        assert publisher.publish(make_wheel(tmp_path, name, "1.0"))[0] == 0
    token = publisher.token_for(mine)
    assert publisher.publish(make_wheel(tmp_path, mine, "1.1"), token=token)[0] == 0
    refused(
        publisher,
        make_wheel(tmp_path, other, "1.1"),
        token=token,
        text=f"Invalid API Token: project-scoped token is not valid for project: '{other}'",
    )
    # A project that is not yet there is outside every project's scope.
    unborn = f"unborn-{publisher.program}"
    refused(
        publisher,
        make_wheel(tmp_path, unborn, "1.0"),
        token=token,
        text=f"Invalid API Token: project-scoped token is not valid for project: '{unborn}'",
    )


def test_a_copy_that_its_holder_let_expire(publisher: Publisher, tmp_path: Path) -> None:
    now = int(time.time())
    copy = Token.load(publisher.token).restrict(not_before=now - 200, not_after=now - 100).dump()
    path = make_wheel(tmp_path, "expired", "1.0")
    refused(publisher, path, token=copy, text="Invalid API Token: token is expired")


def test_a_project_of_somebody_else(publisher: Publisher, tmp_path: Path, accounts: dict[str, str]) -> None:
    name = f"foreign-{publisher.program}"
    path = make_wheel(tmp_path, name, "1.0")
    assert publisher.publish(path)[0] == 0
    refused(
        publisher,
        make_wheel(tmp_path, name, "1.1"),
        token=accounts["interop-grace"],
        text=f"The user 'interop-grace' isn't allowed to upload to project '{name}'. See http://127.0.0.1:",
    )


def test_other_content_under_a_name_that_is_taken(publisher: Publisher, tmp_path: Path) -> None:
    name = f"taken-{publisher.program}"
    path = make_wheel(tmp_path, name, "1.0")
    assert publisher.publish(path)[0] == 0
    make_wheel(tmp_path, name, "1.0", files={"m.py": b"other"})
    refused(publisher, path, text=f"File already exists ('{path.name}', with blake2_256 hash '")


def test_twine_knows_the_answer_as_one_to_skip(
    server: Server, accounts: dict[str, str], tmp_path: Path
) -> None:
    # The program offers --skip-existing for the public index alone; its judgement of an answer is for all.
    from twine.commands.upload import skip_upload

    path = make_wheel(tmp_path, "skipped", "1.0")
    assert send(server.port, body_of(path), accounts["interop-ada"]).status == 200
    make_wheel(tmp_path, "skipped", "1.0", files={"m.py": b"other"})
    answer = send(server.port, body_of(path), accounts["interop-ada"])
    response = SimpleNamespace(status_code=answer.status, reason=answer.reason, text=answer.text)
    assert skip_upload(response, skip_existing=True, package=None)


def test_bad_metadata_is_named(publisher: Publisher, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "badly-described", "1.0", fields={"Classifier": ["No :: Such"]})
    refused(publisher, path, text="'No :: Such' is not a valid classifier.")


def test_a_file_beyond_the_limit(publisher: Publisher, tmp_path: Path) -> None:
    # The whole file is sent before either client reads an answer.
    path = make_wheel(tmp_path, "huge", "1.0", files={"m.bin": bytes(101 * 1024 * 1024)}, compression=0)
    refused(publisher, path, text="File too large. Limit for project 'huge' is 100 MB.")
