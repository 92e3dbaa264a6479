"""House rules that no linter knows (STYLE.md, section 7). Each takes a module and yields its findings."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from tests.architecture.source import Module, calls, imported, last_name

Rule = Callable[[Module], Iterator[str]]

_CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
    ("timezone", "now"),
    ("timezone", "localdate"),
    ("timezone", "localtime"),
}
"""Wall clocks. `time.monotonic` measures how long something takes and is no clock."""


def no_clock_but_clock(module: Module) -> Iterator[str]:
    """Only `clock.py` asks for the time: everything else is told, so that tests move it."""
    if module.path == "clock.py":
        return
    for node in ast.walk(module.tree):
        # A mention is enough: `default=timezone.now` asks as a call does.
        if isinstance(node, ast.Attribute) and (last_name(node.value), node.attr) in _CLOCKS:
            yield f"{module.at(node)}: {last_name(node.value)}.{node.attr}"
        if isinstance(node, ast.keyword) and node.arg in ("auto_now", "auto_now_add"):
            yield f"{module.at(node.value)}: {node.arg}"
    for node, name in imported(module.tree):
        if name in ("time.time", "time.time_ns", "django.utils.timezone.now"):
            yield f"{module.at(node)}: {name}"


_SECRET_NAME = re.compile(
    r"(^|_)(secret|signature|digest|hmac|mac|token|password|passphrase|pin|root_key|root)s?$"
)


def secrets_compared_in_constant_time(module: Module) -> Iterator[str]:
    """`==` stops at the first difference and tells how far it came: `hmac.compare_digest` does not.

    A comparison with a literal or an upper-case constant is about the kind of a thing, not its value.
    """
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Compare) or not any(
            isinstance(op, ast.Eq | ast.NotEq) for op in node.ops
        ):
            continue
        sides = [part for side in (node.left, *node.comparators) for part in _parts(side)]
        if any(isinstance(side, ast.Constant) or last_name(side).isupper() for side in sides):
            continue
        for side in sides:
            if not isinstance(side, ast.Call) and _SECRET_NAME.search(last_name(side)):
                yield f"{module.at(node)}: {ast.unparse(node)}"
                break


def _parts(side: ast.expr) -> list[ast.expr]:
    return list(side.elts) if isinstance(side, ast.Tuple | ast.List) else [side]


def output_in_one_place(module: Module) -> Iterator[str]:
    """One module is the program's voice."""
    if module.path == "cli/output.py":
        return
    for node in calls(module.tree):
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{module.at(node)}: print"
        if not isinstance(node.func, ast.Attribute):
            continue
        writes = node.func.attr in ("write", "writelines") and last_name(node.func.value) in (
            "stdout",
            "stderr",
        )
        if writes or ast.unparse(node.func) in ("click.echo", "click.secho"):
            yield f"{module.at(node)}: {ast.unparse(node.func)}"


_SQL_SINKS = {"execute", "executemany", "executescript", "raw", "RawSQL", "extra"}


def sql_is_never_built(module: Module) -> Iterator[str]:
    """Statements are literals; values travel as parameters."""
    takers = _SQL_SINKS | _functions_taking_sql(module)
    for node in calls(module.tree):
        if last_name(node.func) not in takers:
            continue
        for statement in [*node.args[:1], *(word.value for word in node.keywords if word.arg == "sql")]:
            if _is_built(statement):
                yield f"{module.at(node)}: {ast.unparse(statement)}"
    for node in ast.walk(module.tree):
        # A constant that is built where it is defined, and handed over by name.
        if isinstance(node, ast.Assign) and _is_built(node.value) and _looks_like_sql(node.value):
            yield f"{module.at(node)}: {ast.unparse(node.targets[0])}"


def _functions_taking_sql(module: Module) -> set[str]:
    return {
        node.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef) and any(arg.arg == "sql" for arg in node.args.args)
    }


def _is_built(node: ast.expr) -> bool:
    match node:
        case ast.JoinedStr(values=values):
            return any(isinstance(value, ast.FormattedValue) for value in values)
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return True
        case ast.Call(func=ast.Attribute(attr="format" | "join")):
            return True
        case _:
            return False


def _looks_like_sql(node: ast.expr) -> bool:
    literals = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return any(
        isinstance(text, str) and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|PRAGMA|WITH)\b", text)
        for text in literals
    )


_WORLD = {
    "os",
    "io",
    "pathlib",
    "socket",
    "random",
    "secrets",
    "time",
    "subprocess",
    "tempfile",
    "shutil",
    "sys",
}


def formats_and_lifecycle_are_pure(module: Module) -> Iterator[str]:
    """No file, socket, clock, environment or randomness: what they need is handed to them."""
    if not module.path.startswith(("formats/", "lifecycle/")):
        return
    for node, name in imported(module.tree):
        if name.partition(".")[0] in _WORLD or name in ("uuid.uuid1", "uuid.uuid4"):
            yield f"{module.at(node)}: {name}"
    for node in calls(module.tree):
        if last_name(node.func) in ("open", "uuid1", "uuid4", "urandom"):
            yield f"{module.at(node)}: {ast.unparse(node.func)}"


def foreign_exceptions_do_not_escape_silently(module: Module) -> Iterator[str]:
    """`except Exception: pass` hides what nobody thought of."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or last_name(node.type) in ("Exception", "BaseException")
            if broad and all(isinstance(line, ast.Pass | ast.Continue) for line in node.body):
                yield f"{module.at(node)}: except {ast.unparse(node.type) if node.type else ''}"


RULES: tuple[Rule, ...] = (
    no_clock_but_clock,
    secrets_compared_in_constant_time,
    output_in_one_place,
    sql_is_never_built,
    formats_and_lifecycle_are_pure,
    foreign_exceptions_do_not_escape_silently,
)

ALLOWED: dict[tuple[str, str], str] = {
    # (path, what the finding says after the line number): reason
    ("server/index/reader.py", "f'PRAGMA busy_timeout={BUSY_TIMEOUT_MS}'"): (
        "PRAGMA takes no parameters, and the number is a constant of ours"
    ),
}
