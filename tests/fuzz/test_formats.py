"""Entry points for fuzzing, and a slice of it in every run.

Each entry point takes any bytes; whatever it raises but a `ParseError` is a defect. To search for longer, raise
`FUZZ_EXAMPLES`: `FUZZ_EXAMPLES=1000000 pytest tests/fuzz`.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tests import key_files
from tests.keys import key, key_file

from sealstead.errors import InputError, ParseError, VerificationError
from sealstead.formats.caveat_json import parse_caveat, serialize_caveat
from sealstead.formats.dns_message import parse_answer
from sealstead.formats.http_response import Body, parse_head
from sealstead.formats.key_work import rounds_of
from sealstead.formats.macaroon import mint, parse_macaroon, serialize_macaroon
from sealstead.formats.minisign import (
    digest_of,
    parse_public_key,
    parse_secret_key,
    parse_signature,
    serialize_public_key,
    serialize_signature,
    sign_digest,
)
from sealstead.formats.profile_edit import ProfileEditError, edit_profile
from sealstead.formats.profile_toml import parse_profile
from sealstead.formats.proof_text import is_claim_message, parse_proof
from sealstead.formats.statement import Reason, make_revocation, make_rotation, verify_statement
from sealstead.formats.token_text import parse_token, serialize_token
from sealstead.identity.evidence import readings
from sealstead.identity.me_links import me_links
from sealstead.identity.providers import choose
from sealstead.lifecycle.journal import (
    Journal,
    JournalDamagedError,
    Phase,
    Step,
    parse_journal,
    serialize_journal,
)
from sealstead.net.urls import parse_url

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4000"))
SEED = int(os.environ.get("FUZZ_SEED", "20260821"))

MACAROON = mint(
    bytes(32),
    location=b"pkg.test",
    identifier=b"3fa85f64-5717-4562-b3fc-2c963f66afa6",
    caveats=[serialize_caveat(1, ["demo-lib"]), serialize_caveat(0, 2, 1), b"x" * 300],
)


MOMENT = datetime(2026, 11, 21, tzinfo=UTC)
JOURNAL = Journal(
    command="key-rotate",
    identity="work",
    steps=(
        Step(store="/a", phase=Phase.COMMIT, before=None, after="x", staged="/b"),
        Step(store="work", phase=Phase.FOLLOW, before="y", after="z", keyring=True),
    ),
    facts={"new_id": "A", "index": []},
)


def fuzz_macaroon(data: bytes) -> None:
    assert serialize_macaroon(parse_macaroon(data)) == data


def fuzz_token_text(data: bytes) -> None:
    parse_token(data.decode("utf-8", "replace"))


def fuzz_minisign_public_key(data: bytes) -> None:
    key = parse_public_key(data)
    # One key has one line: nothing else reads as it.
    assert key.line.encode() in data


def fuzz_minisign_secret_key(data: bytes) -> None:
    file = parse_secret_key(data)
    if not file.encrypted:
        # A changed key is refused, never used: what is read is one of the seeds, or another id at its front.
        assert file.open().seed.reveal() == key(1).seed.reveal()


def fuzz_minisign_signature(data: bytes) -> None:
    signature = parse_signature(data)
    assert parse_signature(serialize_signature(signature)) == signature


def fuzz_caveat(data: bytes) -> None:
    parse_caveat(data, token_owner="owner")


def fuzz_profile(data: bytes) -> None:
    parse_profile(data)
    text = data.decode()
    with contextlib.suppress(ProfileEditError):
        edited = edit_profile(text, public_key="K", statements=["s"])
        assert edit_profile(edited, public_key="K", statements=["s"]) == edited


def fuzz_proof(data: bytes) -> None:
    is_claim_message(data)
    parse_proof(data.decode("utf-8", "replace"))


def fuzz_statement(data: bytes) -> None:
    with contextlib.suppress(VerificationError):  # well-formed, and a signature does not hold
        verify_statement(data.decode("utf-8", "replace"))


def fuzz_http_response(data: bytes) -> None:
    head, _, body = data.partition(b"\r\n\r\n")
    reader = Body(parse_head(head))
    for at in range(0, len(body), 7):  # however it arrives
        assert len(reader.feed(body[at : at + 7], most=100)) <= 100
    reader.end()


def fuzz_dns_answer(data: bytes) -> None:
    parse_answer(data, name="ada.example", message_id=7)


def fuzz_page(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    me_links(text)
    list(readings(text))
    with contextlib.suppress(InputError):
        assert parse_url(parse_url(text).url).url == parse_url(text).url
    with contextlib.suppress(InputError):
        choose(text, "mastodon", rel_me=True)


def fuzz_journal(data: bytes) -> None:
    with contextlib.suppress(JournalDamagedError):
        assert parse_journal(serialize_journal(parse_journal(data))) == parse_journal(data)


def fuzz_key_work(data: bytes) -> None:
    assert rounds_of(data) >= 0


ENTRY_POINTS: dict[Callable[[bytes], None], list[bytes]] = {
    fuzz_macaroon: [serialize_macaroon(MACAROON), b"\x02\x02\x00\x00\x00\x06\x20" + bytes(32)],
    fuzz_token_text: [serialize_token(MACAROON).encode()],
    fuzz_minisign_public_key: [serialize_public_key(key(1).public), key(1).public.line.encode()],
    fuzz_minisign_secret_key: [key_file(1), key_file(1, "pass")],
    fuzz_minisign_signature: [
        serialize_signature(sign_digest(key(1), digest_of(b"x"), trusted_comment="t\u00e9st"))
    ],
    fuzz_caveat: [
        b"[0,2000000000,1000000000]",
        b'[1,["demo-lib"]]',
        b'[4,"publisher",{"sha":"1"}]',
        b'{"version":1,"permissions":{"projects":["demo-lib"]}}',
    ],
    fuzz_profile: [
        b"# c\n[verification]\npublic_key = 'x' # y\n[[profiles]]\nkind='a'\nlabel=\"b\"\nurl='u'\n",
        b'verification = { statements = ["""\na""", "b"] }\nprofiles = [{ kind = "a", label = "b", url = "c" }]\n',
        b"verification.statements = [\n 'a', # b\n]\n[x.'y.z']\nd = 1979-05-27 07:32:00\n[[humans]]\nid = 'h'\n",
    ],
    fuzz_statement: [
        make_rotation(key(1), key(2), issued_at=MOMENT, retires_at=MOMENT).encode(),
        make_revocation(
            key(1), key(2).public, issued_at=MOMENT, revoked_at=MOMENT, reason=Reason.LOST
        ).encode(),
    ],
    fuzz_http_response: [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello", mtime=0),
    ],
    fuzz_dns_answer: [
        (
            b"\x00\x07\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00\x03ada\x07example\x00\x00\x10\x00\x01"
            b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01x\xc0\x10"
            b"\x01x\xc0\x10\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x03\x02hi"
        ),
    ],
    fuzz_page: [
        b'<!-- x --><a rel="me" href="https://ada.example/?a&amp;b">x</a><script>y</script>',
        b"https://www.ada.example:8443/users/@ada/x?y=z#/@a:b.c",
        b"https://[2606:2800::1]/a%20b",
    ],
    fuzz_key_work: [key_files.pfx(key_files.shrouded(key_files.key(9))), b"\x24\x80\x04\x01x\x00\x00"],
    fuzz_journal: [serialize_journal(JOURNAL)],
    fuzz_proof: [
        b"pypi-profile-proof: eyJwIjoicCIsInUiOiJ1IiwicyI6InMiLCJpIjoxLCJlIjoyLCJuIjoiQUEiLCJnIjoiQUEifQ",
    ],
}
"""Entry point -> seeds that it accepts."""


def mutate(seed: bytes, chance: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(data))
        match chance.randrange(5):
            case 0:
                data[at:at] = chance.randbytes(chance.randint(1, 5))
            case 1:
                del data[at : at + chance.randint(1, 6)]
            case 2:
                data[at : at + 1] = chance.choice(
                    [b"\x00", b"\x7f", b"\x80", b"\xff", b'"', b"[", b"]", b"="]
                )
            case 3:
                data[at : at + 1] = chance.randbytes(1)
            case _:
                start = chance.randint(0, len(data))
                data[at:at] = data[start : start + 20]
    return bytes(data)


@pytest.mark.parametrize("entry_point", ENTRY_POINTS, ids=lambda entry_point: entry_point.__name__)
def test_slice(entry_point: Callable[[bytes], None]) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chance that can be repeated
    seeds = ENTRY_POINTS[entry_point]
    for seed in seeds:
        entry_point(seed)
    for _ in range(EXAMPLES):
        data = mutate(chance.choice(seeds), chance)
        try:
            entry_point(data)
        except ParseError:
            continue
