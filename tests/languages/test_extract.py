from __future__ import annotations

from tools.messages.extract import Message, messages_of_python, messages_of_template
from tools.messages.pseudo import accented, right_to_left


def test_python_calls_are_read() -> None:
    source = """
from django.utils import translation as t
_("one"); gettext_lazy("two " "parts"); ngettext("%(n)s a", "%(n)s b", 2); pgettext_lazy("where", "three")
t.gettext("four"); _(variable); other("five")
"""
    assert list(messages_of_python(source)) == [
        Message("one"),
        Message("two parts"),
        Message("%(n)s a", "%(n)s b"),
        Message("three", None, "where"),
        Message("four"),
    ]


def test_templates_are_read_as_django_reads_them() -> None:
    source = """{% load i18n %}{% block x %}
{% if a %}{% translate "one" %}{% else %}{% translate 'tw"o' as t %}{% endif %}
{% blocktranslate trimmed with n=a.b %}
  three {{ n }}
  more
{% endblocktranslate %}
{% for a in b %}{% blocktranslate count c=d %}{{ c }} thing{% plural %}{{ c }} things{% endblocktranslate %}{% endfor %}
{% translate "May" context "month" %}{% include "x" with label=_("six") %}{{ a|default:_("seven") }}{% endblock %}"""
    assert set(messages_of_template(source)) == {
        Message("one"),
        Message('tw"o'),
        Message("three %(n)s more"),
        Message("%(c)s thing", "%(c)s things"),
        Message("May", None, "month"),
        Message("six"),
        Message("seven"),
    }


def test_pseudo_text_keeps_what_is_not_text() -> None:
    text = 'See <a href="%(url)s">page %(n)d</a> &amp; {name}\n'
    for made in (accented(text), right_to_left(text)):
        for kept in ('<a href="%(url)s">', "%(n)d", "</a>", "&amp;", "{name}"):
            assert kept in made
        assert "page" not in made
        assert made.endswith("\n")
    assert len(accented(text)) > len(text) * 1.2


def test_pseudo_text_has_no_ascii_letters() -> None:
    for made in (accented("The quick brown fox"), right_to_left("The quick brown fox")):
        assert not [letter for letter in made if letter.isascii() and letter.isalpha()]
