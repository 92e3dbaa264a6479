"""What a page calls each event, in the visitor's language."""

from __future__ import annotations

from datetime import UTC, datetime

from django.template.defaultfilters import filesizeformat
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.server.audit import tags
from sealstead.server.audit.models import Event

LABELS: dict[str, Promise] = {
    tags.ACCOUNT_CREATED: _("Account created"),
    tags.ACCOUNT_DISABLED: _("Account disabled"),
    tags.ACCOUNT_ENABLED: _("Account enabled"),
    tags.ACCOUNT_EDITED: _("Account edited"),
    tags.ACCOUNT_DELETED: _("Account deleted"),
    tags.ADMINISTRATOR_GIVEN: _("Made an administrator"),
    tags.ADMINISTRATOR_TAKEN: _("Administrator no longer"),
    tags.SIGNED_IN: _("Signed in"),
    tags.SIGN_IN_REFUSED: _("Sign-in refused"),
    tags.SIGNED_OUT: _("Signed out"),
    tags.PASSWORD_CHANGED: _("Password changed"),
    tags.PASSWORD_RESET_REQUESTED: _("Password reset asked for"),
    tags.TEMPORARY_PASSWORD_GIVEN: _("Temporary password made"),
    tags.EMAIL_ADDED: _("E-mail address added"),
    tags.EMAIL_REMOVED: _("E-mail address removed"),
    tags.EMAIL_CONFIRMED: _("E-mail address confirmed"),
    tags.EMAIL_CHANGED: _("Primary e-mail address changed"),
    tags.SECOND_FACTOR_ADDED: _("Second factor added"),
    tags.SECOND_FACTOR_REMOVED: _("Second factor removed"),
    tags.RECOVERY_CODES_ISSUED: _("Recovery codes issued"),
    tags.RECOVERY_CODE_USED: _("Recovery code used"),
    tags.TOKEN_ISSUED: _("Token issued"),
    tags.TOKEN_ROTATED: _("Token rotated"),
    tags.TOKEN_ROTATION_REFUSED: _("Token rotation refused"),
    tags.TOKEN_REVOKED: _("Token revoked"),
    tags.TOKEN_REMOVED: _("Token deleted"),
    tags.TOKEN_REFUSED: _("Token refused"),
    tags.API_KEY_ISSUED: _("API key issued"),
    tags.API_KEY_ROTATED: _("API key rotated"),
    tags.API_KEY_ROTATION_REFUSED: _("API key rotation refused"),
    tags.API_KEY_SECOND_ROTATION: _("API key rotated a second time"),
    tags.API_KEY_REGENERATED: _("API key regenerated"),
    tags.API_KEY_DISABLED: _("API key disabled"),
    tags.API_KEY_ENABLED: _("API key enabled"),
    tags.API_KEY_REVOKED: _("API key revoked"),
    tags.API_KEY_REMOVED: _("API key deleted"),
    tags.API_KEY_REFUSED: _("API key refused"),
    tags.FILE_UPLOADED: _("File uploaded"),
    tags.FILE_UNCHANGED: _("File uploaded again, unchanged"),
    tags.FILE_REFUSED: _("Upload refused"),
    tags.FILE_REMOVED: _("File deleted"),
    tags.RELEASE_YANKED: _("Release yanked"),
    tags.RELEASE_UNYANKED: _("Yank taken back"),
    tags.RELEASE_REMOVED: _("Release deleted"),
    tags.PROJECT_CREATED: _("Project created"),
    tags.PROJECT_RESERVED: _("Project name reserved"),
    tags.PROJECT_ARCHIVED: _("Project archived"),
    tags.PROJECT_ACTIVATED: _("Project made active"),
    tags.PROJECT_QUARANTINED: _("Project quarantined"),
    tags.PROJECT_REMOVED: _("Project deleted"),
    tags.ROLE_INVITED: _("Member invited"),
    tags.ROLE_WITHDRAWN: _("Invitation withdrawn"),
    tags.ROLE_ACCEPTED: _("Invitation accepted"),
    tags.ROLE_DECLINED: _("Invitation declined"),
    tags.ROLE_CHANGED: _("Role changed"),
    tags.ROLE_REMOVED: _("Member removed"),
    tags.ROLE_LEFT: _("Member left"),
    tags.INDEX_SWITCHED: _("Index switches changed"),
    tags.CERTIFICATE_CREATED: _("Certificate added"),
    tags.CERTIFICATE_LOADED: _("Issued certificate loaded"),
    tags.CERTIFICATE_RENAMED: _("Certificate renamed"),
    tags.CERTIFICATE_ENABLED: _("Certificate enabled"),
    tags.CERTIFICATE_DISABLED: _("Certificate disabled"),
    tags.CERTIFICATE_REMOVED: _("Certificate deleted"),
    tags.CERTIFICATE_GRANTED: _("Certificate granted"),
    tags.CERTIFICATE_WITHDRAWN: _("Certificate grant withdrawn"),
    tags.SIGNED: _("Signed"),
    tags.SIGNING_REFUSED: _("Signing refused"),
}

DETAILS: dict[str, Promise] = {
    "user": _("person"),
    "account": _("account"),
    "role": _("role"),
    "name": _("name"),
    "reason": _("reason"),
    "version": _("version"),
    "filename": _("file"),
    "projects": _("projects"),
    "expires_at": _("expires"),
    "retires_at": _("old one ends"),
    "successor": _("successor"),
    "superseded": _("superseded"),
    "overdue_at": _("to be ended by hand until"),
    "roles": _("roles"),
    "labels": _("labels"),
    "networks": _("networks"),
    "rate": _("rate"),
    "size": _("size"),
    "step": _("step"),
    "left": _("codes left"),
    "by": _("by"),
    "email": _("address"),
    "from": _("from"),
    "to": _("to"),
    "kind": _("kind"),
    "admin": _("administrator"),
    "certificate": _("certificate"),
    "label": _("label"),
    "profile": _("profile"),
    "thumbprint": _("thumbprint"),
    "source": _("source"),
    "key": _("API key"),
    "algorithm": _("algorithm"),
    "files": _("files"),
}
"""What a page calls the details of an event; other details are shown under their own names."""

VALUES: dict[str, Promise] = {
    "owner": _("Owner"),
    "maintainer": _("Maintainer"),
    "superseded": _("superseded"),
    "deleted": _("deleted"),
    "regenerated": _("regenerated"),
    "api-key": _("the API key itself"),
    "second-factor": _("second factor"),
    "mailed link": _("mailed link"),
    "administrator": _("administrator"),
    "totp": _("Authenticator app"),
    "webauthn": _("Security key"),
    "recovery_codes": _("Recovery codes"),
    "True": _("yes"),
    "False": _("no"),
}
"""Values that are words of ours; what a person typed stays as it was typed."""

REASONS: dict[str, Promise] = {
    "wrong-password": _("The password was wrong."),
    "account-disabled": _("The account is disabled."),
    "temporary-password-over": _("The time of the temporary password was over."),
    "wrong-code": _("The code was wrong."),
    "wrong-security-key": _("The security key was not accepted."),
    "foreign-origin": _("The security key answered for another address."),
    "cloned-security-key": _("The security key may be a copy."),
    "invalid-credential": _("The token is not valid."),
    "api-key-expired": _("The API key has expired."),
    "api-key-retired": _("The API key was revoked automatically by rotation."),
    "api-key-disabled": _("The API key is disabled."),
    "api-key-owner-disabled": _("The account is disabled."),
    "api-key-revoked": _("The API key was revoked."),
    "role-missing": _("The API key may not sign."),
    "rotator-role-missing": _("The API key may not rotate itself."),
    "network-not-allowed": _("The API key is not accepted from this address."),
    "key-rate-exceeded": _("The API key was used too often."),
    "already-rotated": _("It has a successor already."),
    "token-expired": _("The token has expired."),
    "token-retired": _("The token has been replaced."),
    "caveat-not-met": _("The token does not allow that."),
    "email-not-verified": _("The account has no confirmed e-mail address."),
}
"""Why something was refused, for codes whose event carries no reason in words."""

_FOR_PROGRAMS = {"certificate_id"}
"""Details that say again what another says in words."""
_MOMENTS = {"expires_at", "retires_at", "overdue_at"}
_FILES = 5
_DIGEST = 16
_OUR_WORDS = {"role", "step", "by", "kind", "admin"}


def shown_details(details: dict[str, object]) -> list[tuple[str, str]]:
    """Return the details worth a line, as label and text, both in the visitor's language."""
    return [
        (str(DETAILS.get(name, name)), _shown(name, value))
        for name, value in details.items()
        if value not in (None, "", []) and name not in _FOR_PROGRAMS
    ]


def shown_reason(event: Event) -> str:
    """Return in words why it was refused, unless the details say it already or only the code is known."""
    return "" if event.details.get("reason") else str(REASONS.get(event.code, ""))


def shown_program(user_agent: str) -> str:
    """Return the part of a user agent that people read: installers append a JSON document about the machine."""
    return user_agent.partition(" {")[0]


def _shown(name: str, value: object) -> str:
    if name == "files" and isinstance(value, list):
        return _shown_files(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if name in _OUR_WORDS:
        return str(VALUES.get(str(value), value))
    if name == "size" and isinstance(value, int):
        return filesizeformat(value)
    if name in _MOMENTS:
        try:
            moment = datetime.fromisoformat(str(value)).astimezone(UTC)
        except ValueError:
            return str(value)
        return f"{formats.date_format(moment, 'DATETIME_FORMAT')} UTC"
    return str(value)


def _shown_files(files: list[object]) -> str:
    """Name the first few of a batch, with the beginning of each digest; the download has all of it."""
    shown = [
        f"{one.get('name', '')} ({str(one.get('digest', ''))[:_DIGEST]})".strip()
        for one in files[:_FILES]
        if isinstance(one, dict)
    ]
    more = len(files) - len(shown)
    return ", ".join(shown) + (f" +{more}" if more > 0 else "")
