"""One row into its table, by a statement composed once per table.

`Model.objects.create` composes its statement anew each time, which takes longer than the database needs to carry it out. This
does the same for models without signals and without parents; a test compares the rows.
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar, cast

from django.db import connection, models

M = TypeVar("M", bound=models.Model)


def insert(row: M) -> M:
    """Insert `row`, set its key if the database chose it, and return it. In the current transaction.

    Raises:
        django.db.IntegrityError: a constraint forbids it.
    """
    model = type(row)
    given = tuple(
        field
        for field in model._meta.concrete_fields  # noqa: SLF001 - Django's documented name
        if not (field.primary_key and row.pk is None)
    )
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in given]  # noqa: FBT003 - Django's signature
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, len(given)), values)
        if row.pk is None:
            row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - documented too
    return row


@cache
def _statement(model: type[models.Model], count: int) -> str:
    meta = model._meta  # noqa: SLF001
    fields = meta.concrete_fields[-count:] if count < len(meta.concrete_fields) else meta.concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(cast("str", field.column)) for field in fields)
    marks = ", ".join(["%s"] * count)
    key = f" RETURNING {quote(cast('str', meta.pk.column))}" if count < len(meta.concrete_fields) else ""
    return f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({marks}){key}"  # noqa: S608 - names of our own models
