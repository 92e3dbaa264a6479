"""The routes of the server: which are pages, with what arguments, and which are not. Shared by the walks."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

PROJECT, VERSION = "walked-project", "1.0"
FILE = f"{PROJECT}-{VERSION}-0-py3-none-any.whl"
MEMBER = "{member}"
TOKEN = "{token}"
API_KEY = "{api-key}"
KEY = "{key}"
PERSON = "{person}"
CERTIFICATE = "{certificate}"

_PROJECT = {"name": PROJECT}
_RELEASE = {"name": PROJECT, "version": VERSION}

PLAIN: dict[str, dict[str, str]] = {
    "home": {},
    "search": {},
    "project": _PROJECT,
    "project-version": _RELEASE,
    "help": {},
    "security": {},
    "account-events": {},
    "account_login": {},
    "account_logout": {},
    "account_inactive": {},
    "account_signup": {},
    "account_reauthenticate": {},
    "account_email": {},
    "account_email_verification_sent": {},
    "account_change_password": {},
    "account_reset_password": {},
    "account_reset_password_from_key_done": {},
    "account_reset_password_done": {},
    "account_confirm_email": {"key": "unknown"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "unknown"},
    "mfa_index": {},
    "mfa_activate_totp": {},
    "mfa_add_webauthn": {},
    "manage_account": {},
    "token_add": {},
    "token_details": {"credential_id": TOKEN},
    "token_rotate": {"credential_id": TOKEN},
    "token_revoke": {"credential_id": TOKEN},
    "token_delete": {"credential_id": TOKEN},
    "token_clean_up": {},
    "key_add": {},
    "key_regenerate": {"credential_id": API_KEY},
    "own-certificates": {},
    "policy": {},
    "manage-projects": {},
    "manage-releases": _PROJECT,
    "manage-release": _RELEASE,
    "manage-release-delete": _RELEASE,
    "manage-file-delete": {**_RELEASE, "filename": FILE},
    "manage-members": _PROJECT,
    "manage-remove": {**_PROJECT, "user_id": MEMBER},
    "manage-events": _PROJECT,
    "manage-settings": _PROJECT,
    "manage-state": {**_PROJECT, "state": "archived"},
    "manage-project-delete": _PROJECT,
}
"""Pages that somebody without a second factor meets."""

OF_A_KEY = ("token_details", "token_rotate", "token_revoke", "token_delete")
"""Pages that look otherwise for an API key."""

_PERSON = {"user_id": PERSON}
_CERTIFICATE = {"certificate_id": CERTIFICATE}

FOR_ADMINISTRATORS: dict[str, dict[str, str]] = {
    "server-users": {},
    "server-user-add": {},
    "server-user": _PERSON,
    "server-user-change": {**_PERSON, "action": "delete"},
    "server-events": {},
    "server-certificates": {},
    "server-certificate-sources": {},
    "server-certificate-add": {"source": "test"},
    "server-certificate": _CERTIFICATE,
    "server-certificate-load": _CERTIFICATE,
    "server-certificate-grant": _CERTIFICATE,
    "server-certificate-change": {**_CERTIFICATE, "action": "delete"},
}
"""Pages that others do not find."""

ANSWERS = {"server-certificate-load", "server-certificate-grant"}
"""Of these, what only answers a form that cannot be taken."""

WITH_SECOND_FACTOR: dict[str, dict[str, str]] = {
    "mfa_index": {},
    "mfa_reauthenticate": {},
    "mfa_deactivate_totp": {},
    "mfa_recovery_codes": {},
    "mfa_list_webauthn": {},
    "mfa_remove_webauthn": {"pk": KEY},
    "mfa_edit_webauthn": {"pk": KEY},
    "manage_account": {},
}
"""Pages that need, or look otherwise with, a second factor."""

NOT_PAGES = {
    # Forms are sent here; the answer is a redirect or a page above.
    "answer-invitation",
    "key_switch",
    "manage-invite",
    "manage-withdraw",
    "manage-role",
    "manage_account_sign_out_elsewhere",
    "manage_account_mails",
    "server-certificate-withdraw",
    "server-user-certificates",
    # Its page answers a POST that picks something.
    "server-user-keys-revoke",
    "language",
    # Need a sign-in half way or an account without a password; the tests of accounts show them.
    "account_set_password",
    "mfa_authenticate",
    # Needs a key that was really registered.
    "mfa_reauthenticate_webauthn",
    # For programs.
    "static",
    "csp-report",
    "security-txt",
    "legacy-upload",
    "certificate-download",
}


def routes(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry)
        else:
            yield entry
