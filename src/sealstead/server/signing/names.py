"""Aliases and labels of certificates: what they may hold, and which are free."""

from __future__ import annotations

from sealstead.server.signing.errors import AliasInUseError, InvalidCertificateNameError
from sealstead.server.signing.models import Certificate, normalize_label

MAX_ALIAS = 200
MAX_LABEL = 100


def set_names(row: Certificate, *, alias: str, label: str) -> None:
    """Set both on `row`; the caller saves, in the transaction that asked.

    Raises:
        InvalidCertificateNameError: empty alias, too long, or with characters that are not printed.
        AliasInUseError: another certificate has it.
    """
    alias, label = alias.strip(), label.strip()
    if not alias or len(alias) > MAX_ALIAS or not alias.isprintable():
        raise InvalidCertificateNameError(f"an alias has 1 to {MAX_ALIAS} printable characters")
    if max(len(label), len(normalize_label(label))) > MAX_LABEL or not label.isprintable():
        raise InvalidCertificateNameError(f"a label has at most {MAX_LABEL} printable characters")
    if Certificate.objects.filter(alias=alias).exclude(pk=row.pk).exists():
        raise AliasInUseError(f"another certificate has the alias {alias!r}")
    row.alias = alias
    row.set_label(label)


def automatic_alias(row: Certificate, label: str) -> str:
    """Return `Name (2027-03-01)`, without the end as long as there is none."""
    name = _common_name(row.subject) or label or str(row.profile)
    end = f" ({row.not_after:%Y-%m-%d})" if row.not_after else ""
    return f"{name[: MAX_ALIAS - 30]}{end}"


def free_alias(row: Certificate, label: str) -> str:
    """Return the automatic alias, with a number if that is taken."""
    alias = automatic_alias(row, label)
    others = Certificate.objects.filter(alias__startswith=alias).exclude(pk=row.pk)
    taken = set(others.values_list("alias", flat=True))
    numbered = (f"{alias} {number}" for number in range(2, len(taken) + 3))
    return alias if alias not in taken else next(one for one in numbered if one not in taken)


def sharing_label(row: Certificate, label: str) -> list[Certificate]:
    """Return the other certificates with this label: what a page warns of before it is given twice."""
    key = normalize_label(label)
    return list(Certificate.objects.filter(label_key=key).exclude(pk=row.pk)) if key else []


def _common_name(subject: str) -> str:
    """Return the CN of an RFC 4514 text that has no escapes in it, else nothing."""
    for part in subject.split(","):
        if part.startswith("CN=") and "\\" not in part:
            return part.removeprefix("CN=")
    return "" if "=" in subject else subject
