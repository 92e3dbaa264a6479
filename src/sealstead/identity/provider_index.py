"""The package index of a profile's packages: where it says who maintains what."""

from __future__ import annotations

import re
from typing import NamedTuple

INDEX = "https://pypi.org"
"""As a profile means it unless somebody says otherwise."""

_PAIR = re.compile(
    rb"<value>\s*<string>([A-Za-z]{1,40})</string>\s*</value>\s*"
    rb"<value>\s*<string>([A-Za-z0-9._-]{1,200})</string>\s*</value>"
)


class Role(NamedTuple):
    role: str
    name: str


def package_url(index: str, name: str) -> str:
    return f"{index}/pypi/{name}/json"


def roles_url(index: str) -> str:
    return f"{index}/pypi"


def roles_question(username: str) -> bytes:
    """Return the call that asks for the projects of a user (XML-RPC); a user name holds nothing to be escaped."""
    return (
        "<?xml version='1.0'?><methodCall><methodName>user_packages</methodName><params><param>"
        f"<value><string>{username}</string></value></param></params></methodCall>"
    ).encode()


def parse_roles(answer: bytes) -> list[Role]:
    """Return the pairs of role and project. They are all that is read: no entities, no nesting, no parser to trick."""
    return [Role(role.decode().lower(), name.decode()) for role, name in _PAIR.findall(answer)]
