"""The house rules hold in every module, and each rule can find what it forbids."""

from __future__ import annotations

import pytest
from tests.architecture.rules import (
    ALLOWED,
    RULES,
    Rule,
    foreign_exceptions_do_not_escape_silently,
    formats_and_lifecycle_are_pure,
    no_clock_but_clock,
    output_in_one_place,
    secrets_compared_in_constant_time,
    sql_is_never_built,
)
from tests.architecture.source import modules, parse


def split(finding: str) -> tuple[str, str]:
    place, _, what = finding.partition(": ")
    return place.rpartition(":")[0], what


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_holds_everywhere(rule: Rule) -> None:
    findings = [finding for module in modules() for finding in rule(module)]
    assert [finding for finding in findings if split(finding) not in ALLOWED] == []


def test_no_exception_is_kept_that_nothing_needs() -> None:
    findings = {split(finding) for rule in RULES for module in modules() for finding in rule(module)}
    assert set(ALLOWED) <= findings


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (no_clock_but_clock, "server/x.py", "now = datetime.now(UTC)"),
        (no_clock_but_clock, "server/x.py", "now = datetime.datetime.utcnow()"),
        (no_clock_but_clock, "server/x.py", "stamp = time.time()"),
        (no_clock_but_clock, "server/x.py", "from time import time"),
        (no_clock_but_clock, "server/x.py", "from django.utils.timezone import now"),
        (no_clock_but_clock, "server/x.py", "at = models.DateTimeField(default=timezone.now)"),
        (no_clock_but_clock, "server/x.py", "at = models.DateTimeField(auto_now_add=True)"),
        (secrets_compared_in_constant_time, "x.py", "good = signature == expected"),
        (secrets_compared_in_constant_time, "x.py", "good = expected != row.digest"),
        (secrets_compared_in_constant_time, "x.py", "good = (a, given.token) == (b, c)"),
        (secrets_compared_in_constant_time, "x.py", "good = new_password == old"),
        (secrets_compared_in_constant_time, "x.py", "good = form['passphrase'] == digest[:8]"),
        (output_in_one_place, "server/x.py", "print('hello')"),
        (output_in_one_place, "cli/x.py", "sys.stdout.write('hello')"),
        (output_in_one_place, "cli/x.py", "click.echo('hello')"),
        (sql_is_never_built, "server/x.py", "cursor.execute(f'SELECT {name}')"),
        (sql_is_never_built, "server/x.py", "cursor.execute('SELECT ' + name)"),
        (sql_is_never_built, "server/x.py", "cursor.execute('SELECT %s' % name)"),
        (sql_is_never_built, "server/x.py", "Model.objects.raw('SELECT {}'.format(name))"),
        (sql_is_never_built, "server/x.py", "Q = f'SELECT {name}'\ncursor.execute(Q)"),
        (sql_is_never_built, "server/x.py", "def ask(sql): ...\nask('SELECT ' + name)"),
        (sql_is_never_built, "server/x.py", "def ask(sql): ...\nask(sql=f'SELECT {name}')"),
        (formats_and_lifecycle_are_pure, "formats/x.py", "import os"),
        (formats_and_lifecycle_are_pure, "formats/x.py", "from secrets import token_bytes"),
        (formats_and_lifecycle_are_pure, "lifecycle/x.py", "from uuid import uuid4"),
        (formats_and_lifecycle_are_pure, "lifecycle/x.py", "text = open('file').read()"),
        (foreign_exceptions_do_not_escape_silently, "x.py", "try: f()\nexcept Exception: pass"),
        (foreign_exceptions_do_not_escape_silently, "x.py", "try: f()\nexcept: pass"),
    ],
)
def test_finds_what_it_forbids(rule: Rule, path: str, text: str) -> None:
    assert list(rule(parse(path, text)))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (no_clock_but_clock, "clock.py", "now = datetime.now(UTC)"),
        (no_clock_but_clock, "server/x.py", "now = clock.now()\nbegan = time.monotonic()"),
        (secrets_compared_in_constant_time, "x.py", "good = hmac.compare_digest(signature, expected)"),
        (secrets_compared_in_constant_time, "x.py", "good = len(signature) == 32"),
        (secrets_compared_in_constant_time, "x.py", "good = signature == b'PK'"),
        (secrets_compared_in_constant_time, "x.py", "good = kind == Kind.UPLOAD_TOKEN"),
        (output_in_one_place, "cli/output.py", "print('hello')"),
        (sql_is_never_built, "server/x.py", "cursor.execute('SELECT %s', [name])"),
        (sql_is_never_built, "server/x.py", "Q = 'SELECT 1'\ncursor.execute(Q)"),
        (formats_and_lifecycle_are_pure, "custody/x.py", "import os"),
        (formats_and_lifecycle_are_pure, "lifecycle/x.py", "from uuid import UUID"),
        (foreign_exceptions_do_not_escape_silently, "x.py", "try: f()\nexcept OSError: pass"),
    ],
)
def test_leaves_alone_what_is_fine(rule: Rule, path: str, text: str) -> None:
    assert list(rule(parse(path, text))) == []
