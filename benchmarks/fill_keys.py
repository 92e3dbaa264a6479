"""Store many API keys at once, straight in the database: `fill_keys.py DATA_DIR KEYS USED`; prints `USED` real ones.

For measurements of judging only: all but those printed have a seal that opens to nothing. The real ones lie among them, by
their ids and in the order of their rows.
"""

from __future__ import annotations

import os
import sys
import uuid
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

OWNERS = 1000
USER = "bench"
_ID = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGIT_OF = bytes(_ID[byte % len(_ID)] for byte in range(256))
_CACHE_KIB = 500_000


def main(data_dir: Path, keys: int, used: int) -> None:
    os.environ["SEALSTEAD_DATA_DIR"] = str(data_dir)
    os.environ["DJANGO_SETTINGS_MODULE"] = "sealstead.server.settings"
    import django

    django.setup()
    from django.db import connection, transaction

    from sealstead.server.accounts.models import User
    from sealstead.server.credentials.admin_keys import create_key
    from sealstead.server.credentials.models import Credential, Kind

    now = datetime.now(UTC)

    def make_real(number: int) -> str:
        made = create_key(
            user=USER,
            name=f"real-{number}",
            roles=["Standard"],
            labels=[],
            networks=[],
            rate=None,
            expires=None,
            at=now,
        )
        return made.key.reveal()

    def stored() -> int:
        return Credential.objects.filter(kind=Kind.API_KEY).count()

    owners = [
        User(username=f"owner-{number}", email=f"{number}@example.org")
        for number in range(min(OWNERS, keys // 100 + 1))
    ]
    User.objects.bulk_create(owners, batch_size=500)
    print(make_real(0))
    model = Credential.objects.get(owner__username=USER, name="real-0")
    columns = [str(field.column) for field in Credential._meta.concrete_fields]  # noqa: SLF001
    like = dict(
        zip(
            columns,
            (
                field.get_db_prep_save(getattr(model, field.attname), connection)
                for field in Credential._meta.concrete_fields  # noqa: SLF001
            ),
            strict=True,
        )
    )
    seal_bytes = len(bytes(model.sealed_root or b""))
    owner_ids = [User._meta.pk.get_db_prep_value(owner.pk, connection) for owner in owners]  # noqa: SLF001
    statement = f"INSERT INTO credentials_credential ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"

    def filler(number: int) -> list[Any]:
        key_id = Credential._meta.pk.get_db_prep_value(uuid.uuid4(), connection)  # noqa: SLF001
        row = like | {
            "id": key_id,
            "line": key_id,
            "owner_id": owner_ids[number % len(owner_ids)],
            "name": f"filled-{number}",
            "handle": os.urandom(12).translate(_DIGIT_OF).decode(),
            "sealed_root": os.urandom(seal_bytes),
        }
        return [row[column] for column in columns]

    with connection.cursor() as cursor:
        # Ids are random, so a row touches pages all over the indexes.
        cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    for number in range(1, used):
        # What is stored so far is this part of the whole: the real ones are spread over the rows.
        with transaction.atomic(), connection.cursor() as cursor:
            part = range((number - 1) * (keys - used) // (used - 1), number * (keys - used) // (used - 1))
            cursor.executemany(statement, sorted((filler(one) for one in part), key=itemgetter(0)))
        print(make_real(number))
    assert stored() >= keys, (stored(), keys)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
