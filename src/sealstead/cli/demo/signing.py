"""The demonstration's second part: the same life, of a key that signs programs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from sealstead.cli.demo.stage import DemoFailedError, Stage

KEY_FILE = ".signotaur/api_key.txt"
LABEL = "production"
PROGRAM = "harbour.exe"
SIGNED = f"{PROGRAM}: signed"


def tell_signing(stage: Stage) -> None:
    """Sign a real Windows program with a key that stays on the server; rotate the API key; revoke it."""
    stage.step(
        "The server gets a code-signing key: here from its test authority, which nobody trusts by default."
    )
    admin = f"--label {LABEL} --data-dir data"
    stage.run(f"sealstead admin create-certificate --test {admin}")
    stage.run(f"sealstead admin grant-certificate --user ada {admin}")
    root = stage.run(f"sealstead admin export-certificate --root {admin}", show=["BEGIN"])
    stage.write("root.pem", root)

    stage.step(
        "An API key that can sign and rotate itself is stored on the build machine, readable to its user alone."
    )
    created = stage.run(
        "sealstead admin create-api-key --user ada --name build --expires 90d --role Standard --role ApiKeyRotator --data-dir data"
    )
    old = created.strip()
    stage.run(
        f"SignotaurTool auth set-key --no-banner --from-stdin --write-key-file {KEY_FILE}", stdin=old + "\n"
    )

    stage.step("A real Windows program is signed: its digest travels, the program and the key do not.")
    sign = f"SignotaurTool sign --no-banner --api-key-file {{}} -s {stage.url} --label {LABEL} --fd SHA256 {PROGRAM}"
    _put_program(stage)
    stage.run(sign.format(KEY_FILE), says=[SIGNED])
    stage.run(f"SignotaurTool verify --no-banner --root root.pem {PROGRAM}")

    stage.step("The API key is rotated with an overlap: made on the build machine, and both sign.")
    stage.write("old.txt", created)
    (stage.directory / "old.txt").chmod(0o600)
    stage.run(
        f"SignotaurTool rotate-key --no-banner --api-key-file {KEY_FILE} -s {stage.url} --write-key-file {KEY_FILE}"
    )
    for key in ("old.txt", KEY_FILE):
        _put_program(stage)
        stage.run(sign.format(key), says=[SIGNED])

    stage.step(
        "The key is revoked, and with it the one made from it: both are refused, and the program is left as it was."
    )
    stage.run("sealstead admin revoke-api-key build --user ada --data-dir data")
    before = _put_program(stage)
    for key in ("old.txt", KEY_FILE):
        stage.run(sign.format(key), fails=True)
    if (stage.directory / PROGRAM).read_bytes() != before:
        raise DemoFailedError("the program was changed although the key was refused")


def _put_program(stage: Stage) -> bytes:
    """Put a launcher in place that pip carries for Windows; return it."""
    found = importlib.util.find_spec("pip._vendor.distlib")
    if found is None or found.origin is None:
        raise DemoFailedError("this environment has no pip, whose launcher for Windows is what gets signed")
    program = (Path(found.origin).parent / "t64.exe").read_bytes()
    (stage.directory / PROGRAM).write_bytes(program)
    return program
