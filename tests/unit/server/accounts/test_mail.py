"""Mails are plain text, one line of subject, after the commit, and a failing mail server undoes nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from tests.fakes.mail import use_mail_backend

from sealstead.server.accounts import mail as mail_module
from sealstead.server.accounts.create import create_user
from sealstead.server.accounts.mail import notify, send
from sealstead.server.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def _templates(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail/probe.subject.txt").write_text("About {{ thing }}\n")
    (tmp_path / "mail/probe.txt").write_text(
        "{% load i18n %}Hello {{ user.username }}: {{ thing }} {% get_current_language as l %}[{{ l }}]\n"
    )
    engine = dict(settings.TEMPLATES[0])
    engine["DIRS"] = [str(tmp_path), *engine["DIRS"]]
    settings.TEMPLATES = [engine]


@pytest.fixture
def alice() -> User:
    return create_user(username="alice", email="alice@example.org", password="correct horse battery")


@pytest.mark.usefixtures("_templates")
def test_text_is_not_escaped_and_a_subject_is_one_line(
    alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        notify([alice], "probe", {"thing": "a <b> & c\nBcc: eve@example.org"})
    (message,) = mail.outbox
    assert message.to == ["alice@example.org"]
    assert message.subject == "About a <b> & c Bcc: eve@example.org"
    assert message.body.startswith("Hello alice: a <b> & c\n")


@pytest.mark.usefixtures("_templates")
def test_each_reads_their_own_language(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    bob = create_user(username="bob", email="bob@example.org", password="correct horse battery")
    User.objects.filter(pk=bob.pk).update(language="de")
    bob.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        notify([alice, bob], "probe", {"thing": "x"})
    assert [message.body.strip()[-4:] for message in mail.outbox] == ["[en]", "[de]"]


@pytest.mark.usefixtures("_templates")
def test_nothing_leaves_when_the_transaction_is_undone(
    alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks, transaction.atomic():
        notify([alice], "probe", {"thing": "x"})
        transaction.set_rollback(True)
    assert callbacks == []


@pytest.mark.usefixtures("_templates")
def test_a_failing_mail_server_is_logged_without_the_address(
    settings: Any, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    use_mail_backend(settings, "django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=1)
    with django_capture_on_commit_callbacks(execute=True):
        send("alice@example.org", "probe", {"thing": "x"})
    assert "mail not sent" in caplog.text
    assert "alice" not in caplog.text


def test_a_user_without_an_address_gets_none(django_capture_on_commit_callbacks: Any) -> None:
    nobody = User.objects.create_user("nobody")
    with django_capture_on_commit_callbacks() as callbacks:
        notify([nobody], "probe", {})
    assert callbacks == []


class HeldBackend(BaseEmailBackend):
    """A mail server that takes its time: until `released`."""

    released = threading.Event()
    sent: list[str] = []

    def send_messages(self, messages: Any) -> int:
        assert self.released.wait(60)
        self.sent.extend(message.to[0] for message in messages)
        return len(messages)


@pytest.mark.usefixtures("_templates")
def test_nobody_waits_for_the_mail_server(settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    use_mail_backend(settings, f"{__name__}.HeldBackend")
    settings.MAIL_IN_BACKGROUND = True
    with django_capture_on_commit_callbacks(execute=True):
        send("alice@example.org", "probe", {"thing": "x"})
    assert HeldBackend.sent == []
    HeldBackend.released.set()
    mail_module._postmen().shutdown(wait=True)
    mail_module._postmen.cache_clear()
    assert HeldBackend.sent == ["alice@example.org"]
