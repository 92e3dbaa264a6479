"""Let `pypi-profile` 0.3.0 sign proofs, and write them down: `python -m tests.vectors.identity.generate PROGRAM [FAST]`.

PROGRAM is the console script of `pypi-profile[all]==0.3.0`, FAST that of `pypi-profile[all,fast]==0.3.0`, which signs
another spelling of non-ASCII characters. Each in an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

URLS = (
    "https://github.com/ada",
    'https://ada.example/?a=1&b=<2>#"c"\'',
    "https://ada.example/über/ 🔑",
)
PROFILE = '[identity]\npypi_username = "{user}"\n[verification]\npublic_key = ""\n'
USERS = ("ada", "zoë")


def generate(
    program: str, home: Path, *, spelling: str, users: Sequence[str] = USERS, urls: Sequence[str] = URLS
) -> list[dict[str, Any]]:
    """Return the cases that `program` makes in `home`."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "PYTHONUTF8": "1",
    }

    def run(*arguments: str) -> str:
        return subprocess.run(
            [program, *arguments], cwd=home, env=environment, check=True, capture_output=True, text=True
        ).stdout

    cases = []
    for user in users:
        (home / "pypi_profile.toml").write_text(PROFILE.format(user=user), encoding="utf-8")
        run("keygen", "--no-keyring", "--no-interactive")
        public = (home / ".pypi_profile" / f"minisign.{user}.pub").read_text().split("\n")[1]
        for url in urls:
            for form in ("full", "compact", "tiny"):
                told = run(
                    "sign", "--url", url, "--format", form, "--json", "controls-url", "pypi_profile.toml"
                )
                answer = json.loads(told)
                cases.append(
                    {
                        "form": form,
                        "spelling": spelling,
                        "public_key": public,
                        "package": answer["profile_package"],
                        "username": user,
                        "url": url,
                        "proof": answer["proof"],
                    }
                )
    return cases


def main() -> None:
    cases = []
    for program, spelling in zip(sys.argv[1:], ("escaped", "raw"), strict=False):
        with tempfile.TemporaryDirectory() as home:
            cases += generate(program, Path(home), spelling=spelling)
    target = Path(__file__).with_name("proofs.json")
    target.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
