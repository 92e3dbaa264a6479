"""Keys: what minisign wrote is read, what is damaged is refused, and what was sealed stays sealed."""

from __future__ import annotations

import base64

import pytest
from tests.keys import key, key_file

from sealstead.formats import minisign_key as keys
from sealstead.formats.minisign_text import (
    DamagedKeyError,
    MinisignFormatError,
    PassphraseNeededError,
    WrongPassphraseError,
)
from sealstead.secret import Secret

# Made with minisign 0.11: `minisign -G -W -p a.pub -s a.key`.
PUB = b"""untrusted comment: minisign public key AFC2A104E890CE1D
RWQdzpDoBKHCrzWsBhPlUw7tZnsNPqTJP1K5izB5b2b25BAityILDnvJ
"""
KEY = b"""untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHc6Q6AShwq87KR/tuhzDxuKjSMHDCpUGjn9yCYRjLKIBT\
T6t47qLlDWsBhPlUw7tZnsNPqTJP1K5izB5b2b25BAityILDnvJAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
"""


def body_of(file: bytes) -> bytearray:
    return bytearray(base64.b64decode(file.splitlines()[1]))


def file_of(body: bytes) -> bytes:
    return b"untrusted comment: x\n" + base64.b64encode(body) + b"\n"


def test_files_of_minisign_itself_are_read() -> None:
    public = keys.parse_public_key(PUB)
    assert public.id == "AFC2A104E890CE1D"
    assert keys.serialize_public_key(public) == PUB
    secret = keys.parse_secret_key(KEY)
    assert (secret.encrypted, secret.public) == (False, public)
    assert secret.open().public == public


def test_a_public_key_is_read_from_its_line_alone() -> None:
    line = PUB.decode().splitlines()[1]
    assert keys.parse_public_key(line) == keys.parse_public_key(f" {line}\r\n") == keys.parse_public_key(PUB)
    assert keys.parse_public_key(line).line == line


def test_a_key_comes_back_from_its_file() -> None:
    assert keys.parse_secret_key(key_file(1)).public == key(1).public
    opened = keys.parse_secret_key(key_file(1)).open()
    assert opened.seed.reveal() == key(1).seed.reveal()


def test_an_encrypted_key_tells_nothing_without_its_passphrase() -> None:
    file = keys.parse_secret_key(key_file(1, "tr\u00e8s secret"))
    assert (file.encrypted, file.public) == (True, None)
    with pytest.raises(PassphraseNeededError):
        file.open()
    with pytest.raises(WrongPassphraseError):
        file.open(Secret("tres secret"))
    assert file.open(Secret("tr\u00e8s secret")).public == key(1).public
    clear = body_of(key_file(1))[54:]
    assert not any(bytes([part]) * 8 in key_file(1, "x") for part in clear)
    assert clear[8:40] not in body_of(key_file(1, "x"))


def test_no_secret_is_shown() -> None:
    for value in (key(1), keys.parse_secret_key(key_file(1))):
        shown = repr(value)
        assert repr(key(1).seed.reveal())[2:20] not in shown
        assert "***" in shown or "_body" not in shown


@pytest.mark.parametrize("at", range(54, 158))
def test_any_flipped_byte_of_a_key_in_the_clear_is_noticed(at: int) -> None:
    """C minisign and py-minisign sign with such a key, and only the reader of the signature finds out."""
    body = body_of(key_file(1))
    body[at] ^= 1
    with pytest.raises(DamagedKeyError):
        keys.parse_secret_key(file_of(body)).open()


@pytest.mark.parametrize("at", [62, 80, 93, 94, 100, 125])
def test_a_flipped_byte_of_a_key_without_checksum_is_noticed(at: int) -> None:
    body = body_of(KEY)
    body[at] ^= 1
    with pytest.raises(DamagedKeyError):
        keys.parse_secret_key(file_of(body)).open()


@pytest.mark.parametrize("at", [6, 30, 54, 62, 100, 157])
def test_a_flipped_byte_of_an_encrypted_key_is_noticed(at: int) -> None:
    body = body_of(key_file(1, "x"))
    body[at] ^= 1
    with pytest.raises(WrongPassphraseError):
        keys.parse_secret_key(file_of(body)).open(Secret("x"))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a minisign secret key"),
        (PUB, "but a minisign public key"),
        (KEY[:-10], "cut off or damaged"),
        (KEY.splitlines()[1], "not a minisign secret key"),
        (KEY + b"more\n", "not a minisign secret key"),
        (KEY.replace(b"untrusted", b"trusted"), "untrusted comment:"),
        (b"\xff\xfe" + KEY, "not text"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n", "untrusted comment:"),
        (KEY[:30] + b"x" * 20_000 + KEY[30:], "too long"),
        (file_of(b"Ex" + body_of(KEY)[2:]), "known kind"),
        (file_of(b"EdXX" + body_of(KEY)[4:]), "known kind"),
        (file_of(b"Ed\0\0B3" + body_of(KEY)[6:]), "known kind"),
    ],
)
def test_other_files_are_refused_and_named(data: bytes, says: str) -> None:
    with pytest.raises(MinisignFormatError, match=says) as caught:
        keys.parse_secret_key(data)
    assert caught.value.code == "minisign-format"


def test_a_secret_key_where_a_public_one_belongs_is_named_but_not_repeated() -> None:
    with pytest.raises(MinisignFormatError, match="but a minisign secret key") as caught:
        keys.parse_public_key(KEY)
    assert KEY.split()[6][:20].decode() not in caught.value.message


@pytest.mark.parametrize("limit", [keys.ScryptLimits(opslimit=1 << 26, memlimit=1 << 24)])
def test_a_key_cannot_ask_for_more_work_than_minisign_itself_does(limit: keys.ScryptLimits) -> None:
    body = body_of(key_file(1, "x"))
    body[38:46] = limit.opslimit.to_bytes(8, "little")
    body[46:54] = limit.memlimit.to_bytes(8, "little")
    with pytest.raises(MinisignFormatError, match="1 GiB"):
        keys.parse_secret_key(file_of(body))


def test_costs_are_those_that_libsodium_derives() -> None:
    assert keys.SENSITIVE.cost() == (1 << 20, 8, 1)
    assert keys.OWASP.cost() == (1 << 17, 8, 1)
    assert keys.ScryptLimits(opslimit=1 << 20, memlimit=1 << 25).cost() == (1 << 15, 8, 1)
    assert keys.ScryptLimits(opslimit=1 << 25, memlimit=1 << 24).cost() == (1 << 14, 8, 64)
    assert keys.ScryptLimits(opslimit=0, memlimit=1 << 30).cost() == (1 << 10, 8, 1)


def times(scalar: int, point: tuple[int, int]) -> tuple[int, int]:
    """Edwards curve of RFC 8032, section 5.1, slowly."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    total = (0, 1)
    for _ in range(scalar):
        (x1, y1), (x2, y2) = total, point
        k = d * x1 * x2 * y1 * y2 % p
        total = (
            (x1 * y2 + x2 * y1) * pow(1 + k, -1, p) % p,
            (y1 * y2 + x1 * x2) * pow(1 - k, -1, p) % p,
        )
    return total


def test_weak_public_keys_are_refused() -> None:
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    for encoded in keys._SMALL_ORDER:
        y = int.from_bytes(encoded, "little") % p
        square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        x = pow(square, (p + 3) // 8, p)
        if x * x % p != square:
            x = x * pow(2, (p - 1) // 4, p) % p
        assert x * x % p == square
        assert times(8, (x, y)) == (0, 1)
        for sign in (0, 0x80):
            weak = b"Ed" + bytes(8) + encoded[:31] + bytes([encoded[31] | sign])
            with pytest.raises(MinisignFormatError, match="weak"):
                keys.parse_public_key(base64.b64encode(weak))


def test_a_key_is_known_by_its_id_in_both_byte_orders() -> None:
    public = keys.parse_public_key(PUB)
    assert keys.matches_key_id("AFC2A104E890CE1D", public)
    assert keys.matches_key_id("1dce90e804a1c2af", public)
    assert not keys.matches_key_id("1DCE90E804A1C2AE", public)
