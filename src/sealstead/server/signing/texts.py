"""What the pages of certificates say of errors and warnings, in the visitor's language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.errors import SealsteadError

_ERRORS: dict[str, Promise] = {
    "malformed-key-file": _("The file is of another format, or damaged."),
    "costly-key-file": _(
        "The file takes too long to open: export it again with fewer rounds of key derivation."
    ),
    "wrong-key-file-password": _(
        "The file does not open: the password is wrong or missing, or the file is damaged."
    ),
    "unsupported-key": _(
        "A key of this kind cannot sign here: use RSA of 2048 bits or more, P-256 or P-384."
    ),
    "key-not-for-profile": _("A key of this kind makes no such signatures."),
    "malformed-certificate": _("A certificate of the file cannot be read."),
    "unsuitable-certificate": _("The certificate is not one for code signing."),
    "certificate-key-mismatch": _("None of the certificates belongs to the private key."),
    "broken-chain": _("The certificates of the file do not make one chain."),
    "certificate-period": _("The certificate is not valid today."),
    "certificate-exists": _("This certificate is here already."),
    "certificate-not-awaited": _("This key has its certificate already."),
    "certificate-not-found": _("This certificate does not exist any more."),
    "alias-in-use": _("Another certificate has this alias."),
    "key-bound-to-profile": _("This key is here already, for another kind of signature: use another key."),
    "invalid-certificate-name": _(
        "An alias has 1 to 200 visible characters on one line, a label at most 100."
    ),
    "invalid-subject": _("This cannot be a subject: write for example CN=Harbour Ltd,O=Harbour Ltd,C=SE"),
}

_WARNINGS: dict[str, Promise] = {
    "the certificate is self-signed: verifiers trust it only if they were told to": _(
        "The certificate is self-signed: only who was told to will trust its signatures."
    ),
    "the certificate of its issuer is missing: verifiers that do not know it will refuse signatures": _(
        "The certificate of its issuer is missing: verifiers that do not know it will refuse signatures."
    ),
}


def error_text(exc: SealsteadError) -> str:
    """Return the translated text; errors of other parts keep their own words."""
    text = _ERRORS.get(exc.code)
    return exc.message if text is None else str(text)


def warning_text(warning: str) -> str:
    return str(_WARNINGS.get(warning, warning))
