"""A secret key is in no `repr`: one log line, assertion or error report would give it away (DESIGN §2, rule 4)."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import sealstead.custody
import sealstead.identity

CARRIERS = {"blob", "keyring_blob", "content", "seed", "_body"}
"""Names under which the content of a key file travels; `before`, `after` and `expected` too, where they are bytes."""


def carriers() -> Iterator[tuple[str, dataclasses.Field[object]]]:
    for package in (sealstead.custody, sealstead.identity):
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            for name, kind in inspect.getmembers(module, dataclasses.is_dataclass):
                if kind.__module__ != module.__name__:
                    continue
                for field in dataclasses.fields(kind):  # type: ignore[arg-type]
                    typed = str(field.type)
                    plain = typed.startswith("bytes") and "Secret" not in typed
                    if plain and (field.name in CARRIERS or field.name in ("before", "after", "expected")):
                        yield f"{module.__name__}.{name}.{field.name}", field


def test_what_carries_a_key_file_does_not_show_it() -> None:
    found = dict(carriers())
    assert len(found) > 8
    assert [name for name, field in found.items() if field.repr] == []
