"""Recovery codes: ten one-time codes that stand in for a lost second factor.

They are random, shown once and stored as HMACs bound to the account under a key that is not in the database. allauth's
own keep the seed they are computed from, hence ours. A code has 50 bits, and guessing is limited with all second
factors.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from sealstead.custody.sealed import UnknownMasterKeyError
from sealstead.server.accounts.models import RecoveryCode, User

COUNT = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz023456789"
"""32 characters that survive handwriting: without i, l and 1, and 0 has no o beside it."""
_LENGTH = 10


def issue_codes(user: User, *, at: datetime) -> list[str]:
    """Make new codes; earlier ones end. This is the only time that they can be shown."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(COUNT)]
    key_id = settings.SEALSTEAD.ring.active
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, digest=_digest(user.pk, code, key_id), key_id=key_id, created_at=at)
            for code in codes
        )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def use_code(user: User, code: str, *, at: datetime) -> bool:
    """Tell whether the code is one of the account's and unused; if so, it is used now.

    One conditional UPDATE decides, so that of two workers only one accepts it.
    """
    plain = _normalized(code)
    if len(plain) != _LENGTH:
        return False
    unused = RecoveryCode.objects.filter(user=user, used_at=None)
    for key_id in set(unused.values_list("key_id", flat=True)):
        try:
            digest = _digest(user.pk, plain, key_id)
        except UnknownMasterKeyError:
            continue  # the master key is gone, and with it what it protected
        if unused.filter(digest=digest).update(used_at=at):
            return True
    return False


def remaining(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def remove_codes(user: User) -> None:
    RecoveryCode.objects.filter(user=user).delete()


def _normalized(code: str) -> str:
    # People write o for 0, and hyphens and spaces as they like.
    return "".join(code.split()).replace("-", "").lower().replace("o", "0")


def _digest(user_id: UUID, code: str, key_id: str) -> str:
    key: bytes = settings.SEALSTEAD.ring.derive("recovery-code", key_id=key_id)
    return hmac.digest(key, user_id.bytes + code.encode(), "sha256").hex()
