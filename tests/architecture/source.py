"""The sources under test, parsed once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ROOT = REPOSITORY / "src" / "sealstead"


@dataclass(frozen=True, kw_only=True)
class Module:
    path: str
    """Below `src/sealstead`, with `/`."""
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        dotted = "sealstead." + self.path.removesuffix(".py").replace("/", ".")
        return dotted.removesuffix(".__init__")

    def at(self, node: ast.AST) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def parse(path: str, text: str) -> Module:
    return Module(path=path, text=text, tree=ast.parse(text))


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of ours; migrations are written by Django and left out."""
    paths = sorted(path for path in ROOT.rglob("*.py") if "migrations" not in path.parts)
    return tuple(parse(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths)


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def imported(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Yield each absolute import with the dotted names it reaches, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def last_name(node: ast.AST) -> str:
    """Return the name that a reader sees last: `row.signature` and `signature` are both `signature`."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Call(func=func):
            return last_name(func)
        case ast.Subscript(value=value):
            return last_name(value)
        case _:
            return ""
