"""Rows in and out of tables, by statements written out or composed once per table.

The ORM composes each statement, and how to read its rows, anew every time, which takes longer than the database needs to carry
it out. This does the same for models without signals and without parents, where somebody waits for the answer; a test
compares the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

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


def select(model: type[M], sql: str, parameters: Sequence[Any]) -> list[M]:
    """Return a row of `model` for each row of the answer.

    Columns that the answer lacks are read when they are asked for; one that the model lacks becomes an attribute, as
    the driver gives it.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        shape = _shape(model, tuple(column[0] for column in cursor.description), connection.vendor)
        return [shape.read(model, values) for values in cursor.fetchall()]


def row_of(model: type[M], columns: tuple[str, ...], values: Sequence[Any]) -> M:
    """Return the row that `values`, as the driver gave them for these columns of the table, come to."""
    return _shape(model, columns, connection.vendor).read(model, values)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How an answer's columns become a model's fields."""

    names: list[str]
    positions: list[tuple[int, Any, list[Callable[..., Any]]]]
    """Of each field: its column, and what turns the driver's value into ours."""
    extras: list[tuple[str, int]]

    def read(self, model: type[M], values: Sequence[Any]) -> M:
        found = []
        for position, expression, converters in self.positions:
            value = values[position]
            for convert in converters:
                value = convert(value, expression, connection)
            found.append(value)
        row = model.from_db(connection.alias, self.names, found)
        for name, position in self.extras:
            setattr(row, name, values[position])
        return row


@cache
def _shape(model: type[models.Model], columns: tuple[str, ...], vendor: str) -> _Shape:
    assert vendor == connection.vendor  # noqa: S101 - converters differ between databases; tests use two
    meta = model._meta  # noqa: SLF001
    names, positions = [], []
    for field in meta.concrete_fields:
        if field.column in columns:
            expression = field.get_col(meta.db_table)
            converters = [
                *connection.ops.get_db_converters(expression),
                *expression.get_db_converters(connection),
            ]
            names.append(field.attname)
            positions.append((columns.index(field.column), expression, converters))
    known = {field.column for field in meta.concrete_fields}
    extras = [(name, position) for position, name in enumerate(columns) if name not in known]
    return _Shape(names=names, positions=positions, extras=extras)


@cache
def _statement(model: type[models.Model], count: int) -> str:
    meta = model._meta  # noqa: SLF001
    fields = meta.concrete_fields[-count:] if count < len(meta.concrete_fields) else meta.concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(cast("str", field.column)) for field in fields)
    marks = ", ".join(["%s"] * count)
    key = f" RETURNING {quote(cast('str', meta.pk.column))}" if count < len(meta.concrete_fields) else ""
    return f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({marks}){key}"  # noqa: S608 - names of our own models
