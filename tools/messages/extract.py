"""Find the translatable texts of the server: in templates through Django's own parser, in Python through `ast`.

Nothing is guessed from the look of a line: what is found is what Django would look up.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.template import Template, engines
from django.template.base import FilterExpression, Node, Variable
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation
from django.utils.functional import Promise

# Function name -> positions of (singular, plural, context).
_FUNCTIONS: dict[str, tuple[int, int | None, int | None]] = {
    "_": (0, None, None),
    "gettext": (0, None, None),
    "gettext_lazy": (0, None, None),
    "gettext_noop": (0, None, None),
    "ngettext": (0, 1, None),
    "ngettext_lazy": (0, 1, None),
    "pgettext": (1, None, 0),
    "pgettext_lazy": (1, None, 0),
    "npgettext": (1, 2, 0),
    "npgettext_lazy": (1, 2, 0),
}


@dataclass(frozen=True, order=True)
class Message:
    singular: str
    plural: str | None = None
    context: str | None = None


def extract(server: Path) -> dict[Message, list[str]]:
    """Return every text of the server package with the files (relative to it) that use it."""
    found: dict[Message, list[str]] = {}
    sources = [
        *(
            (path, messages_of_template)
            for path in sorted((server / "templates").rglob("*"))
            if path.is_file()
        ),
        *(
            (path, messages_of_python)
            for path in sorted(server.rglob("*.py"))
            if "migrations" not in path.parts
        ),
    ]
    for path, read in sources:
        for message in read(path.read_text(encoding="utf-8")):
            places = found.setdefault(message, [])
            place = path.relative_to(server).as_posix()
            if place not in places:
                places.append(place)
    return found


def messages_of_python(source: str) -> Iterator[Message]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        if name not in _FUNCTIONS:
            continue
        singular, plural, context = (
            _constant(node, position) if position is not None else None for position in _FUNCTIONS[name]
        )
        if singular:
            yield Message(singular, plural, context)


def _constant(call: ast.Call, position: int) -> str | None:
    if position >= len(call.args):
        return None
    argument = call.args[position]
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    return None


def messages_of_template(source: str) -> Iterator[Message]:
    engine = engines["django"].engine  # type: ignore[attr-defined]
    yield from _messages_of_nodes(Template(source, engine=engine).nodelist)


def _messages_of_nodes(nodes: Iterable[Any]) -> Iterator[Message]:
    for node in nodes:
        if isinstance(node, BlockTranslateNode):
            yield _block(node)
        elif isinstance(node, TranslateNode):
            text = node.filter_expression.var
            literal = getattr(text, "literal", text)
            if isinstance(literal, str):
                yield Message(str(literal), None, _context(node.message_context))
        else:
            yield from _marked_variables(vars(node).values(), depth=3)
        for attribute in getattr(node, "child_nodelists", ()):
            yield from _messages_of_nodes(getattr(node, attribute, None) or ())
        # Nodes of other libraries keep their children where they like.
        for attribute, value in vars(node).items():
            if attribute not in getattr(node, "child_nodelists", ()) and isinstance(value, list):
                yield from _messages_of_nodes(child for child in value if isinstance(child, Node))


def _block(node: BlockTranslateNode) -> Message:
    singular, _ = node.render_token_list(node.singular)
    plural = None
    if node.plural and node.countervar:
        plural, _ = node.render_token_list(node.plural)
    return Message(singular, plural, _context(node.message_context))


def _context(expression: FilterExpression | None) -> str | None:
    if expression is None:
        return None
    literal = getattr(expression.var, "literal", expression.var)
    return str(literal) if isinstance(literal, str) else None


def _marked_variables(values: Iterable[Any], depth: int) -> Iterator[Message]:
    """Find `_("text")` among the arguments of tags and filters."""
    for value in values:
        if isinstance(value, Promise):  # a constant that Django has made lazy already
            with translation.override(None):
                yield Message(str(value))
        elif isinstance(value, Variable):
            if value.translate and isinstance(value.literal, str):
                yield Message(str(value.literal), None, value.message_context)
        elif isinstance(value, FilterExpression):
            yield from _marked_variables([value.var], depth)
            for _, arguments in value.filters:
                yield from _marked_variables([argument for _, argument in arguments], depth)
        elif isinstance(value, (list, tuple)) and depth:
            yield from _marked_variables(value, depth - 1)
        elif isinstance(value, dict) and depth:
            yield from _marked_variables(value.values(), depth - 1)
