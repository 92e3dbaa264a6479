from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealstead.errors import ParseError
from sealstead.formats.minisign import make_secret_key, parse_public_key, sign_bare
from sealstead.formats.proof_text import (
    PREFIX,
    BadProofError,
    EarlyProofError,
    ExpiredProofError,
    Form,
    OtherClaimError,
    ProofContext,
    ProofFormatError,
    UnknownProofKeyError,
    find_proofs,
    is_claim_message,
    make_proof,
    parse_proof,
    signed_message,
    verify_proof,
)

KEY = make_secret_key(bytes(range(32)), bytes(range(8)))
OTHER = make_secret_key(bytes(range(1, 33)), bytes(range(1, 9)))
SAME_ID = make_secret_key(bytes(range(2, 34)), bytes(range(8)))
CONTEXT = ProofContext(package="pypi-profile-ada", username="ada", url="https://ada.example/ü?🔑")
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
END = AT + timedelta(days=30)
FORMS: tuple[Form, ...] = ("full", "compact", "tiny")
VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "identity" / "proofs.json").read_text(encoding="utf-8")
)


def proof(form: Form = "full", context: ProofContext = CONTEXT, at: datetime = AT) -> str:
    return make_proof(KEY, context, form=form, at=at, expires_at=END, nonce=bytes(16))


def claim_of(token: str) -> dict[str, Any]:
    body = token.removeprefix(PREFIX).strip()
    claim: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claim


def token_of(claim: object) -> str:
    return f"{PREFIX} {base64.urlsafe_b64encode(json.dumps(claim).encode()).decode().rstrip('=')}"


def resigned(form: Form, drop: str = "", **changes: object) -> str:
    """A proof with other contents, truly signed: only what it says is wrong."""
    claim = claim_of(proof(form)) | changes
    claim.pop(drop, None)
    at = "signature" if form == "full" else "g"
    claim.pop(at)
    signature = sign_bare(KEY, json.dumps(claim, sort_keys=True, separators=(",", ":")).encode())
    if form == "full":
        claim[at] = base64.b64encode(b"ED" + KEY.public.key_id + signature).decode()
    else:
        claim[at] = base64.urlsafe_b64encode(signature).decode().rstrip("=")
    return token_of(claim)


@pytest.mark.parametrize("form", FORMS)
def test_a_proof_proves_its_claim(form: Form) -> None:
    proved = verify_proof(proof(form), CONTEXT, [OTHER.public, KEY.public], at=AT)
    assert (proved.form, proved.key_id) == (form, KEY.public.id)
    if form != "tiny":
        assert (proved.issued_at, proved.expires_at) == (AT, END)


def test_sizes_fit_where_they_are_pasted() -> None:
    context = ProofContext(package="pypi-profile-ada", username="ada", url="https://github.com/ada")
    assert [len(proof(form, context)) for form in FORMS] == [
        pytest.approx(570, abs=12),
        pytest.approx(315, abs=12),
        88,
    ]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: f"{case['form']}-{case['spelling']}")
def test_proofs_of_the_existing_tool_are_accepted(case: dict[str, str]) -> None:
    key = parse_public_key(case["public_key"])
    context = ProofContext(package=case["package"], username=case["username"], url=case["url"])
    at = datetime(2026, 12, 31, tzinfo=UTC)
    proved = verify_proof(case["proof"], context, [OTHER.public, key], at=at)
    assert (proved.form, proved.key_id) == (case["form"], key.id)
    assert find_proofs(f"<p>{case['proof']}</p>") == [case["proof"]]
    with pytest.raises((OtherClaimError, BadProofError)):
        verify_proof(
            case["proof"], ProofContext(package="x", username=context.username, url=context.url), [key], at=at
        )
    with pytest.raises((UnknownProofKeyError, BadProofError)):
        verify_proof(case["proof"], context, [OTHER.public], at=at)
    with pytest.raises(ExpiredProofError):
        verify_proof(case["proof"], context, [key], at=datetime(2029, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("field", ["package", "username", "url"])
def test_every_part_of_the_claim_counts(form: Form, field: str) -> None:
    parts = {"package": CONTEXT.package, "username": CONTEXT.username, "url": CONTEXT.url}
    other = ProofContext(**parts | {field: parts[field] + "/"})
    expected = BadProofError if form == "tiny" else OtherClaimError
    with pytest.raises(expected):
        verify_proof(proof(form), other, [KEY.public], at=AT)


@pytest.mark.parametrize("form", FORMS)
def test_another_key_is_refused(form: Form) -> None:
    with pytest.raises(UnknownProofKeyError if form == "full" else BadProofError):
        verify_proof(proof(form), CONTEXT, [OTHER.public], at=AT)
    with pytest.raises(BadProofError):
        verify_proof(proof(form), CONTEXT, [SAME_ID.public], at=AT)
    with pytest.raises(UnknownProofKeyError):
        verify_proof(proof(form), CONTEXT, [], at=AT)
    assert verify_proof(proof(form), CONTEXT, [SAME_ID.public, KEY.public], at=AT)


@pytest.mark.parametrize("form", ["full", "compact"])
def test_it_ends_at_the_moment_it_says(form: Form) -> None:
    assert verify_proof(proof(form), CONTEXT, [KEY.public], at=END - timedelta(seconds=1))
    with pytest.raises(ExpiredProofError):
        verify_proof(proof(form), CONTEXT, [KEY.public], at=END)


def test_a_tiny_proof_is_good_for_its_year_and_two_more() -> None:
    token = proof("tiny")
    assert verify_proof(token, CONTEXT, [KEY.public], at=datetime(2028, 12, 31, 23, 59, 59, tzinfo=UTC))
    with pytest.raises(ExpiredProofError):
        verify_proof(token, CONTEXT, [KEY.public], at=datetime(2029, 1, 1, tzinfo=UTC))
    with pytest.raises(BadProofError):
        verify_proof(token, CONTEXT, [KEY.public], at=datetime(2025, 12, 31, tzinfo=UTC))


def test_expired_is_said_of_authentic_proofs_only() -> None:
    claim = claim_of(proof("compact"))
    forged = token_of(claim | {"n": "x"})
    with pytest.raises(BadProofError):
        verify_proof(forged, CONTEXT, [KEY.public], at=END)


@pytest.mark.parametrize("form", ["full", "compact"])
def test_a_clock_that_was_set_back_is_noticed(form: Form) -> None:
    assert verify_proof(proof(form), CONTEXT, [KEY.public], at=AT - timedelta(days=1))
    with pytest.raises(EarlyProofError):
        verify_proof(proof(form), CONTEXT, [KEY.public], at=AT - timedelta(days=1, seconds=1))
    with pytest.raises((EarlyProofError, BadProofError)):
        verify_proof(proof(form), CONTEXT, [KEY.public], at=datetime(1969, 12, 31, tzinfo=UTC))


@pytest.mark.parametrize(
    "token",
    {
        "never ends": resigned("compact", drop="e"),
        "never ends either": resigned("full", drop="expires_at"),
        "an end that is no moment": resigned("full", expires_at="never"),
        "an end beyond time": resigned("compact", e=10**30),
        "an end that is true": resigned("compact", e=True),
        "an end that is a text": resigned("compact", e="2030"),
        "another claim": resigned("full", claim="owns-company"),
        "another back end": resigned("full", signature_backend="gpg"),
        "another key than it says": resigned("full", key_id=OTHER.public.key_id.hex().upper()),
        "both forms": resigned("compact", subject="https://evil.example"),
        "two signatures": resigned("full", g="x"),
        "a URL that is a number": resigned("compact", s=1),
    }.values(),
    ids=lambda token: f"{len(token)}",
)
def test_what_is_truly_signed_and_no_proof_is_refused(token: str) -> None:
    with pytest.raises(ProofFormatError):
        verify_proof(token, CONTEXT, [KEY.public], at=AT)


def test_a_legacy_signature_is_no_proof() -> None:
    claim = claim_of(proof())
    raw = bytearray(base64.b64decode(claim["signature"]))
    raw[1] = ord("d")
    with pytest.raises(ProofFormatError):
        verify_proof(
            token_of(claim | {"signature": base64.b64encode(raw).decode()}), CONTEXT, [KEY.public], at=AT
        )


@pytest.mark.parametrize("form", FORMS)
def test_one_proof_has_one_text(form: Form) -> None:
    """What is added to it, taken from it or changed in it makes it worthless."""
    token = proof(form)
    start = token.index(":") + 2 if form != "tiny" else 2
    for at in range(start, len(token), 7):
        flipped = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        for damaged in (flipped, token[:at], token[:at] + "." + token[at:]):
            with pytest.raises((ParseError, BadProofError, OtherClaimError, UnknownProofKeyError)):
                verify_proof(damaged, CONTEXT, [KEY.public], at=AT)


@pytest.mark.parametrize(
    "text",
    ["", "x", PREFIX, f"{PREFIX} !!!", f"{PREFIX} {'A' * 30_000}", "t:", "t:abc", f"{PREFIX} é"]
    + [token_of(value) for value in ([], 1, None, {}, {"p": 1})]
    + [
        f"{PREFIX} {base64.urlsafe_b64encode(raw).decode()}"
        for raw in (b"\xff", b"[" * 9000, b'{"p":1,"p":2}')
    ],
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises((ProofFormatError, BadProofError)):
        verify_proof(text, CONTEXT, [KEY.public], at=AT)


def test_proofs_are_found_in_pages() -> None:
    full, compact, tiny = (proof(form) for form in FORMS)
    page = (
        f"<p>{full}</p>\n> {compact.replace(PREFIX, 'PyPI-Profile-Proof:')}=\n"
        f"{compact.replace(PREFIX + ' ', PREFIX + chr(10))}\nname ({tiny}) at:{tiny} xt:{tiny[2:]} {tiny}x t:short"
    )
    assert find_proofs(page) == [full, compact, tiny]
    assert find_proofs("nothing") == []
    assert len(find_proofs(" ".join(f"{PREFIX} {n}" for n in range(100_000)))) == 100


@pytest.mark.parametrize("form", FORMS)
def test_the_signed_message_is_known_for_what_it_is(form: Form) -> None:
    message = signed_message(proof(form), CONTEXT, at=AT)
    assert is_claim_message(message)
    assert message.isascii()
    if form != "tiny":
        assert parse_proof(proof(form)).signature == sign_bare(KEY, message)
