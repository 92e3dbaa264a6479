"""A proof in the description of a project on a server of our own: published by upload, found by `verify`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.factories import make_wheel
from tests.fakes.proofs import KEY, NoRecords, sign, verifier
from tests.fakes.web import start_web
from tests.server_process import Server
from tests.uploads import body_of, send

from sealstead.formats.profile_schema import ProfileLink
from sealstead.identity.outcomes import Outcome
from sealstead.net.pages import WebPages

pytestmark = pytest.mark.database

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize("form", ["full", "compact", "tiny"])
def test_a_proof_in_a_description(form: str, server: Server, tmp_path: Path) -> None:
    name = f"proven-{form}"
    server.admin(
        "create-user", name, "--email", f"{name}@example.org", "--password-stdin", stdin="correct horse battery\n"
    )  # fmt: skip
    token = server.admin("create-token", "--user", name, "--name", "ci", "--all-projects").strip()
    url = f"http://127.0.0.1:{server.port}/project/{name}/"
    proof = sign(url, form=form, at=NOW - timedelta(hours=1))  # type: ignore[arg-type]
    path = make_wheel(
        tmp_path,
        name,
        "1.0",
        description=f"# Engine\n\nA *fine* engine.\n\n{proof}\n",
        fields={"Description-Content-Type": "text/markdown"},
    )
    changes = {"description": f"# Engine\n\n{proof}\n", "description_content_type": "text/markdown"}
    assert send(server.port, body_of(path, **changes), token).status == 200
    link = ProfileLink(kind="sealstead", label="", url=url)
    with start_web() as web, WebPages(allow_private=True) as pages:
        result = verifier(web, pages=pages, texts=NoRecords(), keys=[KEY.public], at=NOW).check(link)
        assert result.outcome is Outcome.VERIFIED, result.steps
        assert result.provider == "sealstead"
        missing = ProfileLink(
            kind="sealstead", label="", url=f"http://127.0.0.1:{server.port}/project/nobody-{form}/"
        )
        assert verifier(web, pages=pages, at=NOW).check(missing).outcome is Outcome.MISSING
