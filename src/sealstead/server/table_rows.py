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

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState

M = TypeVar("M", bound=models.Model)

T = TypeVar("T")

_Given = tuple[Any, str, type | None]
"""A field, the attribute it is read from, and the type whose values need nothing done."""

_MOST_REMEMBERED = 1024
_KEPT = "_kept"
_PLAIN: dict[type[models.Field[Any, Any]], type] = {
    models.CharField: str,
    models.TextField: str,
    models.BooleanField: bool,
}
"""Fields whose values, being of this very type, go to the database as they are."""
_remembered: dict[tuple[Any, ...], models.Model] = {}


def insert(row: M) -> M:
    """Insert `row`, set its key if the database chose it, and return it. In the current transaction.

    Raises:
        django.db.IntegrityError: a constraint forbids it.
    """
    # The connection of this thread itself: `connection` looks it up anew with every attribute that a field asks for.
    database = connections[DEFAULT_DB_ALIAS]
    given = _given(type(row), row.pk is None)
    with database.cursor() as cursor:
        cursor.execute(_statement(type(row), len(given)), _values(row, given, database))
        if row.pk is None:
            row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, database.alias  # noqa: SLF001 - documented too
    return row


def insert_all(rows: Sequence[models.Model]) -> None:
    """Insert rows of one model whose keys the database chooses, by one statement; they stay without their keys.

    Raises:
        django.db.IntegrityError: a constraint forbids it.
    """
    if not rows:
        return
    database, model = connections[DEFAULT_DB_ALIAS], type(rows[0])
    given = _given(model, True)  # noqa: FBT003 - as above
    values = [value for row in rows for value in _values(row, given, database)]
    with database.cursor() as cursor:
        cursor.execute(_statement(model, len(given), len(rows)), values)


def _values(row: models.Model, given: tuple[_Given, ...], database: BaseDatabaseWrapper) -> list[Any]:
    values = []
    for field, name, plain in given:
        value = getattr(row, name)
        if type(value) is not plain:
            value = field.get_db_prep_save(field.pre_save(row, True), database)  # noqa: FBT003 - Django's signature
        values.append(value)
    return values


def new_row(model: type[M], **values: Any) -> M:
    """Return a row that is not stored yet, as the model's constructor would in ten times the time.

    `values` are by the attributes of the fields (`user_id`), complete where the default is made anew for each row.
    """
    made = _copy(cast("M", _blank(model)))
    made.__dict__.update(values)
    made._state = ModelState()  # noqa: SLF001 - Django's documented name
    return made


def kept(row: M, make: Callable[[M], T]) -> T:
    """Return `make(row)`, remembered together with the values that `row` was read from (`remember`).

    Only for a row that was read this moment and not been changed: it is not looked at again.
    """
    memory = row.__dict__.get(_KEPT)
    if memory is None:
        return make(row)
    if make not in memory:
        memory[make] = make(row)
    return cast("T", memory[make])


def select(model: type[M], sql: str, parameters: Sequence[Any], *, remember: bool = False) -> list[M]:
    """Return a row of `model` for each row of the answer.

    Columns that the answer lacks are read when they are asked for; one that the model lacks becomes an attribute, as
    the driver gives it. With `remember` the same values are read once only, see `row_of`.
    """
    database = connections[DEFAULT_DB_ALIAS]
    with database.cursor() as cursor:
        cursor.execute(sql, parameters)
        columns = tuple(column[0] for column in cursor.description)
        found = cursor.fetchall()
    if remember:
        return [row_of(model, columns, values, remember=True) for values in found]
    shape = _shape(model, columns, database.vendor)
    return [shape.read(model, values) for values in found]


def row_of(model: type[M], columns: tuple[str, ...], values: Sequence[Any], *, remember: bool = False) -> M:
    """Return the row that `values`, as the driver gave them for these columns of the table, come to.

    With `remember` it is a copy of what the same values came to before. Lists and dicts in it are shared with all other
    copies: whoever asks for this changes none of them in place.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if not remember:
        return _shape(model, columns, database.vendor).read(model, values)
    question = (model, columns, database.vendor, *values)
    known = _remembered.get(question)
    if known is None:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        known = _shape(model, columns, database.vendor).read(model, values)
        known.__dict__[_KEPT] = {}
        _remembered[question] = known
    return _copy(cast("M", known))


def _copy(row: M) -> M:
    """Return a row of its own. Composing one field by field, as the model's constructor does, takes ten times as long."""
    made = type(row).__new__(type(row))
    made.__dict__.update(row.__dict__)
    made._state = ModelState()  # noqa: SLF001 - Django's documented name
    made._state.adding, made._state.db = False, row._state.db  # noqa: SLF001 - documented too
    return made


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
def _blank(model: type[models.Model]) -> models.Model:
    return model()


@cache
def _given(model: type[models.Model], database_chooses_key: bool) -> tuple[_Given, ...]:  # noqa: FBT001 - two callers
    return tuple(
        (field, field.attname, _PLAIN.get(type(field)))
        for field in model._meta.concrete_fields  # noqa: SLF001 - Django's documented name
        if not (field.primary_key and database_chooses_key)
    )


@cache
def _statement(model: type[models.Model], count: int, rows: int | None = None) -> str:
    meta = model._meta  # noqa: SLF001
    fields = meta.concrete_fields[-count:] if count < len(meta.concrete_fields) else meta.concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(cast("str", field.column)) for field in fields)
    marks = ", ".join([f"({', '.join(['%s'] * count)})"] * (rows or 1))
    told = rows is None and count < len(meta.concrete_fields)
    key = f" RETURNING {quote(cast('str', meta.pk.column))}" if told else ""
    return f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES {marks}{key}"  # noqa: S608 - names of our own models
