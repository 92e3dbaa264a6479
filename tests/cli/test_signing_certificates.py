"""What a holder of an API key learns about the certificates behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.signing_server import FakeSigningServer
from tests.pipeline import Pipeline

DAY = timedelta(days=1)


def row(label: str, *, begins: timedelta = -DAY, lasts: timedelta = 99 * DAY, **more: Any) -> dict[str, Any]:
    begin = datetime.now(UTC) + begins
    return {
        "id": label,
        "alias": f"{label} (2027)",
        "label": label,
        "profile": "authenticode",
        "subject": "CN=Harbour",
        "issuer": "CN=Root",
        "serial": "01",
        "thumbprint": "AB" * 20,
        "thumbprint_sha256": "CD" * 32,
        "not_before": begin.isoformat(),
        "not_after": (begin + lasts).isoformat(),
        "algorithm": "RSA-3072",
        "is_test": False,
        "certificate": "MAA=",
        "chain": [],
        "public_key": None,
        "enabled": True,
    } | more


MINISIGN = {
    "profile": "minisign",
    "not_before": None,
    "not_after": None,
    "certificate": None,
    "thumbprint": "",
}


@pytest.fixture
def line(pipeline: Pipeline, signing: FakeSigningServer) -> tuple[str, ...]:
    pipeline.store(signing.issue(name="release").text.reveal())
    return ("--af", str(pipeline.key_file))


def test_labels_with_their_ends_and_what_is_the_matter(
    pipeline: Pipeline, signing: FakeSigningServer, line: tuple[str, ...]
) -> None:
    signing.certificates = [
        row("production"),
        row("old", lasts=timedelta(hours=1)),
        row("soon", begins=DAY),
        row("off", enabled=False),
        row("asked-for", certificate=None),
        row("wheels", public_key="RWQkey", **MINISIGN),
    ]
    listed = pipeline.good("certificates", *line)
    words = {text.split()[0]: text for text in listed.out.splitlines()}
    end = signing.certificates[0]["not_after"][:19].replace("T", " ")
    assert f"authenticode  {end} UTC  good " in words["production"]
    assert "  RWQkey  " in words["wheels"]
    assert "  never  " in words["wheels"]
    states = {"old": "expired", "soon": "not yet valid", "off": "disabled", "asked-for": "awaited"}
    assert all(f" {state} " in words[label] for label, state in states.items())
    told = pipeline.good("certificates", *line, "--json").json["certificates"]
    assert [one["state"] for one in told] == ["good", *states.values(), "good"]
    assert told[0]["not_after"] == signing.certificates[0]["not_after"][:19] + "Z"
    assert told[-1]["public_key"] == "RWQkey"
    status = pipeline.good("auth", "status", *line)
    assert f"signs with  production: authenticode, until {end} UTC\n" in status.out
    assert "signs with  wheels: minisign\n" in status.out
    assert pipeline.good("auth", "status", *line, "--json").json["certificates"] == told


def test_a_key_that_may_sign_with_nothing(
    pipeline: Pipeline, signing: FakeSigningServer, line: tuple[str, ...]
) -> None:
    done = pipeline.good("certificates", *line)
    assert (done.out, "no certificate" in done.err) == ("", True)
    assert pipeline.good("certificates", *line, "--json").json["certificates"] == []
    done = pipeline.run("certificates", *line, "--label", "x", "--json")
    assert (done.code, done.error) == (1, "no-certificate")
    assert "signs with  no certificate" in pipeline.good("auth", "status", *line).out


def test_a_key_for_rotation_alone_is_not_asked_for_certificates(
    pipeline: Pipeline, signing: FakeSigningServer
) -> None:
    text = signing.issue(roles=("ApiKeyRotator",)).text.reveal()
    assert pipeline.good("auth", "status", "-a", text, "--json").json["certificates"] == []
    assert [path for _, path in signing.asked] == ["/api/v1/key"]


def test_a_key_file_that_is_not_there_is_told_with_the_next_step(pipeline: Pipeline) -> None:
    done = pipeline.run("certificates", "--af", "nowhere.txt", "-s", "https://sign.example.org")
    assert done.code == 3
    assert "auth set-key" in done.err
