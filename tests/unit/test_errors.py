from __future__ import annotations

import pytest

from sealstead import errors


def test_an_error_carries_message_and_hint() -> None:
    error = errors.InputError("the fact", hint="the next step")
    assert (str(error), error.message, error.hint) == ("the fact", "the fact", "the next step")
    assert errors.InputError("the fact").hint is None


@pytest.mark.parametrize("family", errors.SealsteadError.__subclasses__())
def test_each_family_is_drawn_in_the_docstring(family: type[errors.SealsteadError]) -> None:
    if family.__module__ == "sealstead.errors":
        assert family.__name__ in (errors.__doc__ or "")
