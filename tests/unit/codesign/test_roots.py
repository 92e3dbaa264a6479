"""The roots that a chain may lead to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.signers import NOW, leaf, root

from sealstead.codesign.roots import Roots, RootsFileError, load_certificates, load_roots
from sealstead.formats.trust_list import CODE_SIGNING, TIME_STAMPING


def test_files_in_pem_and_der(tmp_path: Path) -> None:
    both, one = tmp_path / "both.pem", tmp_path / "one.cer"
    both.write_bytes(b"a comment\n" + root().pem + leaf().pem)
    one.write_bytes(root().der)
    assert load_certificates(both) == [root().certificate, leaf().certificate]
    assert load_roots([one], with_public=False) == Roots((root().certificate,))


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_files_that_hold_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pem"
    path.write_bytes(content)
    for name in (path, tmp_path / "missing", tmp_path):
        with pytest.raises(RootsFileError):
            load_certificates(name)


def test_public_roots_are_trusted_for_what_microsoft_says() -> None:
    public = Roots(with_public=True)
    for_code = public.usable(CODE_SIGNING, at=NOW, issued_at=NOW)
    for_time = public.usable(TIME_STAMPING, at=NOW, issued_at=NOW)
    names = {one.subject.rfc4514_string() for one in for_code}
    assert any("DigiCert" in name for name in names)
    assert not any("ISRG Root X1" in name for name in names)
    assert set(for_code) != set(for_time)
    long_ago = datetime(2010, 1, 1, tzinfo=UTC)
    assert set(public.usable(CODE_SIGNING, at=long_ago, issued_at=long_ago)) > set(for_code)


def test_chosen_roots_are_alone_unless_asked() -> None:
    assert Roots((root().certificate,)).usable(CODE_SIGNING, at=NOW, issued_at=NOW) == [root().certificate]
    assert Roots().usable(CODE_SIGNING, at=NOW, issued_at=NOW) == []
