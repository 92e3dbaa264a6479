from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError

from sealstead.server import settings as product
from sealstead.server.accounts import passwords


def test_the_product_uses_the_profile_of_the_rfc(settings: object) -> None:
    assert product.PASSWORD_HASHERS == ["sealstead.server.accounts.passwords.Rfc9106LowMemory"]
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS  # type: ignore[attr-defined]
    encoded = make_password("correct horse battery")
    assert encoded.startswith("argon2$argon2id$v=19$m=65536,t=3,p=4$")
    assert check_password("correct horse battery", encoded)
    assert not check_password("correct horse batterz", encoded)


def test_the_shown_minimum_is_the_one_in_force() -> None:
    (length,) = [v for v in product.AUTH_PASSWORD_VALIDATORS if "MinimumLength" in str(v["NAME"])]
    assert length["OPTIONS"] == {"min_length": passwords.MIN_LENGTH}
    assert settings.AUTH_PASSWORD_VALIDATORS == product.AUTH_PASSWORD_VALIDATORS


def test_the_longest_password() -> None:
    validator = passwords.MaximumLengthValidator()
    validator.validate("x" * passwords.MAX_LENGTH)
    with pytest.raises(ValidationError) as refused:
        validator.validate("x" * (passwords.MAX_LENGTH + 1))
    assert refused.value.code == "password_too_long"
