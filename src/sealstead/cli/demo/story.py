"""`sealstead demo`: publish with a scoped token, install from the index, rotate, revoke; then sign a program.

Needs the extra `[server]` and, for the client's side, `build`, `setuptools` and `twine`.
"""

from __future__ import annotations

import importlib.util

import click

from sealstead.cli import output
from sealstead.cli.demo.signing import tell_signing
from sealstead.cli.demo.stage import Stage
from sealstead.errors import InputError

PROJECT = "harbour-lights"
OTHER_PROJECT = "pilot-boat"
PACKAGE = "harbour_lights"

PYPROJECT = f"""\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{PROJECT}"
version = "{{version}}"
description = "Which lights a harbour shows"
readme = "README.md"
requires-python = ">=3.11"
"""

MODULE = """\
def entrance() -> str:
    return "green to starboard, red to port"
"""


class ProgramMissingError(InputError):
    """A program that the demonstration drives is not installed."""

    code = "demo-program-missing"


@click.command()
@click.option("--keep", is_flag=True, help="Keep the directory of the demonstration and say where it is.")
def demo(*, keep: bool) -> None:
    """Watch real programs publish with a scoped token and install from the index; then sign a program.

    Everything happens on a server of its own in a fresh temporary directory, which is removed
    afterwards. The clients are the real build, twine and pip.
    """
    missing = [
        name for name in ("django", "build", "setuptools", "twine") if not importlib.util.find_spec(name)
    ]
    if missing:
        raise ProgramMissingError(
            f"the demonstration needs {', '.join(missing)}",
            hint="pip install 'sealstead[server]' build setuptools twine, or run `make demo` in a clone",
        )
    with Stage(keep=keep) as stage:
        tell(stage)


def tell(stage: Stage) -> None:
    """Run the whole story; every step checks its own outcome."""
    wheel, sdist = f"{PACKAGE}-{{}}-py3-none-any.whl", f"{PACKAGE}-{{}}.tar.gz"
    index = f"{stage.url}/simple/"

    stage.step("A server starts on its embedded default: SQLite, and files in its data directory.")
    stage.serve()

    stage.step("An account, and a token that can upload to one project and do nothing else.")
    admin(
        stage,
        "create-user ada --email ada@example.org --password-stdin",
        stdin="correct horse battery staple\n",
    )
    token = create_token(stage, "ci", PROJECT)

    stage.step("A real sdist and a real wheel are built.")
    build(stage, "1.0")

    stage.step("The real twine uploads them with that token.")
    upload(
        stage, token, "dist/*", says=[f"Uploading {sdist.format('1.0')}", f"Uploading {wheel.format('1.0')}"]
    )

    stage.step("The real pip installs them back: the wheel into a fresh environment, then the sdist.")
    stage.run("python -m venv fresh")
    installed = f"Successfully installed {PROJECT}-1.0"
    stage.run(
        f"fresh/bin/python -m pip install --index-url {index} {PROJECT}",
        says=[wheel.format("1.0"), installed],
        show=["Looking", "Downloading", "Successfully"],
    )
    stage.run(
        f"fresh/bin/python -c 'import {PACKAGE}; print({PACKAGE}.entrance())'", says=["green to starboard"]
    )
    stage.run(
        f"pip install --index-url {index} --no-binary {PROJECT} --no-build-isolation --target from-sdist {PROJECT}",
        says=[sdist.format("1.0"), installed],
        show=["Looking", "Downloading", "Successfully"],
    )

    stage.step("A token for another project is refused, and twine prints why.")
    other = create_token(stage, "ci-other", OTHER_PROJECT)
    upload(stage, other, "dist/*", refused=f"project-scoped token is not valid for project: '{PROJECT}'")

    stage.step("The token is rotated with an overlap: the old one and the new one both work.")
    successor = admin(stage, "rotate-token ci --user ada --overlap 7d").strip()
    build(stage, "1.1")
    upload(stage, token, f"dist/{sdist.format('1.1')}", says=["Uploading"])
    upload(stage, successor, f"dist/{wheel.format('1.1')}", says=["Uploading"])

    stage.step("The token is revoked, and with it the one made from it: both are refused.")
    admin(stage, "revoke-token ci --user ada")
    for ended in (token, successor):
        # Of one version: which of two wheels twine takes first is up to the file system.
        files = f"dist/{PACKAGE}-1.1*"
        upload(stage, ended, files, refused="Invalid or non-existent authentication information.")

    tell_signing(stage)
    output.data("\nEvery step turned out as it must.")


def admin(stage: Stage, command: str, *, stdin: str = "") -> str:
    return stage.run(f"sealstead admin {command} --data-dir data", stdin=stdin)


def create_token(stage: Stage, name: str, project: str) -> str:
    return admin(stage, f"create-token --user ada --name {name} --project {project} --expires 90d").strip()


def build(stage: Stage, version: str) -> None:
    stage.write("project/pyproject.toml", PYPROJECT.format(version=version))
    stage.write("project/README.md", "# Harbour lights\n\nWhich lights a harbour shows.\n")
    stage.write(f"project/src/{PACKAGE}/__init__.py", MODULE)
    stage.run(
        "python -m build --no-isolation --outdir dist project",
        says=[f"Successfully built {PACKAGE}-{version}.tar.gz and {PACKAGE}-{version}-py3-none-any.whl"],
        show=["Successfully"],
    )


def upload(stage: Stage, token: str, files: str, *, refused: str = "", says: list[str] | None = None) -> None:
    stage.run(
        f"twine upload --disable-progress-bar --repository-url {stage.url}/legacy/ {files}",
        settings={"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": token},
        fails=bool(refused),
        says=[refused] if refused else says or [],
    )
