from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage

from sealstead.server.outbox import OutboxBackend


def test_a_mail_is_one_private_file_and_nothing_else(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings.SEALSTEAD = replace(settings.SEALSTEAD, data_dir=tmp_path)
    mails = [EmailMessage(f"About {n}", "https://x/secret-link", to=["ada@example.org"]) for n in range(2)]
    assert OutboxBackend().send_messages(mails) == 2
    files = sorted((tmp_path / "outbox").iterdir())
    assert len(files) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 and path.suffix == ".eml" for path in files)
    assert (tmp_path / "outbox").stat().st_mode & 0o777 == 0o700
    assert "secret-link" in files[0].read_text()
    assert capsys.readouterr() == ("", "")
    assert caplog.text == ""


def test_a_long_link_stays_in_one_piece(settings: Any, tmp_path: Path) -> None:
    settings.SEALSTEAD = replace(settings.SEALSTEAD, data_dir=tmp_path)
    link = f"https://packages.example.org/account/password/reset/key/{'a1-' * 60}/"
    OutboxBackend().send_messages([EmailMessage("Grüße", f"Öffnen:\n{link}\n", to=["ada@example.org"])])
    (path,) = (tmp_path / "outbox").iterdir()
    assert link in path.read_text(encoding="utf-8").splitlines()
