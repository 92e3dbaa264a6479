"""Values of the identity part that carry key files do not show them: a repr ends in logs and in traces."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil

import sealstead.custody
import sealstead.identity

CARRIES_KEYS = {"blob", "keyring_blob", "content", "expected", "before", "after", "seed"}


def values() -> list[type]:
    found: list[type] = []
    for package in (sealstead.custody, sealstead.identity):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
            found += [
                cls for _, cls in members if dataclasses.is_dataclass(cls) and cls.__module__ == module.name
            ]
    return found


def test_bytes_of_key_files_are_in_no_repr() -> None:
    assert [
        f"{cls.__name__}.{field.name}"
        for cls in values()
        for field in dataclasses.fields(cls)
        if field.name in CARRIES_KEYS and "bytes" in str(field.type) and field.repr
    ] == []
