from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from sealstead.custody.files import MissingFileError
from sealstead.custody.sealed import KeyRing
from sealstead.server.config import Config, declared
from sealstead.server.config_file import (
    InvalidSettingError,
    UnknownSettingError,
    read_config,
    read_settings,
)
from sealstead.server.keyring import make_ring


def settings(tmp_path: Path, toml: str = "", **environ: str) -> dict[str, Any]:
    if toml:
        (tmp_path / "sealstead.toml").write_text(toml, encoding="utf-8")
    return read_settings(tmp_path, environ)


def test_every_type_of_value_is_read(tmp_path: Path) -> None:
    values = settings(
        tmp_path,
        """
        public_url = "https://packages.example.org/"
        port = 8443
        tls_self_signed = true
        trusted_proxies = ["10.0.0.0/8", "::1"]
        longest_life = "90d"
        longest_overlap = 14
        master_key_file = "/run/keys/ring.json"
        smtp_password = "hunter2"
        security_expires = 2027-01-31
        """,
    )
    assert values["public_url"] == "https://packages.example.org/"
    assert values["port"] == 8443
    assert values["tls_self_signed"] is True
    assert values["trusted_proxies"] == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert values["longest_life"] == timedelta(days=90)
    assert values["longest_overlap"] == timedelta(days=14)
    assert values["master_key_file"] == Path("/run/keys/ring.json")
    assert values["smtp_password"].reveal() == "hunter2"
    assert values["security_expires"] == "2027-01-31"


def test_the_environment_wins(tmp_path: Path) -> None:
    values = settings(
        tmp_path,
        'port = 1\ntls_self_signed = true\nallowed_hosts = ["a"]',
        SEALSTEAD_PORT="2",
        SEALSTEAD_TLS_SELF_SIGNED="no",
        SEALSTEAD_ALLOWED_HOSTS="b, c,",
        SEALSTEAD_LONGEST_LIFE="",
        OTHER_THING="x",
    )
    assert values["port"] == 2
    assert values["tls_self_signed"] is False
    assert values["allowed_hosts"] == ("b", "c")
    assert values["longest_life"] is None


def test_names_that_are_no_settings_of_the_file_may_stand_in_the_environment(tmp_path: Path) -> None:
    assert settings(tmp_path, SEALSTEAD_DATA_DIR="/x", SEALSTEAD_DEBUG="1", SEALSTEAD_MASTER_KEYS="{}") == {}


def test_an_unknown_name_in_the_file_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownSettingError) as caught:
        settings(tmp_path, '# first line\nsmtp_host = "mail"\npublic_ur = "https://x"\n')
    assert caught.value.code == "unknown-setting"
    assert caught.value.message == f"{tmp_path}/sealstead.toml, line 3: no setting is called public_ur"
    assert caught.value.hint == "did you mean public_url?"


def test_a_table_is_no_setting_either(tmp_path: Path) -> None:
    with pytest.raises(UnknownSettingError, match=r"line 2: no setting is called mail"):
        settings(tmp_path, '\n[mail]\nhost = "x"')


def test_an_unknown_name_in_the_environment_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownSettingError) as caught:
        settings(tmp_path, SEALSTEAD_TRUSTED_PROXY="10.0.0.1")
    assert caught.value.hint == "did you mean SEALSTEAD_TRUSTED_PROXIES?"
    with pytest.raises(UnknownSettingError) as caught:
        settings(tmp_path, SEALSTEAD_ZZZZZZ="1")
    assert caught.value.hint == "docs/reference/settings.md lists every setting"


def test_bad_toml_names_file_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        settings(tmp_path, 'port = 8000\nsite_name = "unfinished\n')
    assert caught.value.message.startswith(f"{tmp_path}/sealstead.toml, line 2, column ")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sealstead.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidSettingError):
        settings(tmp_path)


@pytest.mark.parametrize(
    ("toml", "fact"),
    [
        ("port = 70000", "port: expected a number from 0 to 65535"),
        ('port = "8000"', "port: expected a whole number"),
        ("port = true", "port: expected a whole number"),
        ("workers = 0", "workers: expected a number from 1 to 256"),
        ("tls_self_signed = 1", "tls_self_signed: expected true or false"),
        ('allowed_hosts = "one"', "allowed_hosts: expected a list of texts"),
        ("allowed_hosts = [1]", "allowed_hosts: expected a list of texts"),
        ('trusted_proxies = ["proxy"]', "'proxy' is no address and no network"),
        ('longest_life = "soon"', "'soon' is not a duration"),
        ("longest_life = 1.5", "expected a duration"),
        ('longest_overlap = "31d"', "31d is out of bounds"),
        ('tls_cert = "relative.pem"', "the path is not absolute"),
        ('registration = "opne"', "'opne' is not one of open, closed"),
        ('public_url = "packages.example.org"', "is not an address of a server"),
        ('public_url = "https://packages.example.org/sub/"', "expected scheme, host and port alone"),
        ('public_url = "https://me@packages.example.org"', "expected scheme, host and port alone"),
        ('security_expires = "next year"', "security_expires"),
        ("site_name = 1", "site_name: expected text in quotes"),
        ('tls_cert = "/c.pem"', "tls_cert and tls_key belong together"),
        (
            'tls_cert = "/c.pem"\ntls_key = "/k.pem"\ntls_self_signed = true',
            "tls_self_signed and tls_cert exclude each other",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_place(tmp_path: Path, toml: str, fact: str) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        settings(tmp_path, toml)
    assert caught.value.code == "invalid-setting"
    assert fact in caught.value.message


def test_a_choice_misspelt_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        settings(tmp_path, 'registration = "opne"')
    assert caught.value.hint == "did you mean open?"


def test_no_message_repeats_a_secret(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        settings(tmp_path, "smtp_password = 12345678")
    assert "12345678" not in str(caught.value)
    values = settings(tmp_path, 'smtp_password = "hunter2"')
    assert "hunter2" not in repr(values)


def test_every_declared_setting_can_be_read_from_both_places(tmp_path: Path) -> None:
    """No type in the table lacks its reader."""
    samples = {
        "str": ('"x"', "x"),
        "int": ("7", "7"),
        "bool": ("true", "true"),
        "timedelta": ('"7d"', "7d"),
        "Path": ('"/x"', "/x"),
        "Secret[str]": ('"x"', "x"),
        "tuple[str, ...]": ('["x"]', "x"),
        "tuple[Network, ...]": ('["::1"]', "::1"),
    }
    together = {"tls_cert": {"SEALSTEAD_TLS_KEY": "/k"}, "tls_key": {"SEALSTEAD_TLS_CERT": "/c"}}
    own = {"public_url": "https://x", "security_expires": "2027-01-31"}
    for setting in declared():
        toml, text = samples[str(setting.type).removesuffix(" | None")]
        first_choice = setting.metadata.get("choices", "").partition(" ")[0]
        value = own.get(setting.name) or first_choice
        quoted = f'["{value}"]' if toml.startswith("[") else f'"{value}"'
        toml, text = (quoted, value) if value else (toml, text)
        beside = together.get(setting.name, {})
        from_file = settings(tmp_path, f"{setting.name} = {toml}", **beside)
        (tmp_path / "sealstead.toml").unlink()
        from_environment = settings(tmp_path, **{"SEALSTEAD_" + setting.name.upper(): text}, **beside)
        assert repr(from_file[setting.name]) == repr(from_environment[setting.name]), setting.name


def test_a_config_is_built_with_the_ring_of_its_directory(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        read_config(tmp_path, {})
    make_ring(tmp_path)
    config = read_config(tmp_path, {"SEALSTEAD_PORT": "9000"})
    assert config.public_url == "http://127.0.0.1:9000"
    elsewhere = KeyRing.generate()
    given = read_config(tmp_path, {"SEALSTEAD_MASTER_KEYS": elsewhere.dump()})
    assert given.ring.active == elsewhere.active


@pytest.mark.parametrize(
    ("values", "url", "hosts"),
    [
        ({}, "http://127.0.0.1:8000", ["127.0.0.1", "[::1]", "localhost"]),
        (
            {"host": "0.0.0.0", "tls_self_signed": True},  # noqa: S104 - not bound
            "https://127.0.0.1:8000",
            ["127.0.0.1", "[::1]", "localhost"],
        ),
        ({"host": "::1"}, "http://[::1]:8000", ["127.0.0.1", "[::1]", "localhost"]),
        (
            {"public_url": "https://packages.example.org/", "allowed_hosts": ("old.example.org",)},
            "https://packages.example.org",
            ["127.0.0.1", "[::1]", "localhost", "old.example.org", "packages.example.org"],
        ),
    ],
)
def test_address_and_hosts_follow_from_the_settings(
    values: dict[str, Any], url: str, hosts: list[str]
) -> None:
    config = Config(data_dir=Path("/x"), ring=KeyRing.generate(), **values)
    assert config.public_url == url
    assert config.hosts == hosts
    assert config.behind_tls == url.startswith("https")


def test_a_former_master_key_still_reads_sessions() -> None:
    old, new = KeyRing.generate(), KeyRing.generate()
    old.reload_from(lambda: new)
    first = Config(data_dir=Path("/x"), ring=old)
    before = first.secret_key
    old.open(new.seal(b"", context=()), context=())
    assert first.secret_key != before
    assert first.secret_key_fallbacks == [before]


def test_a_kind_of_mail_that_does_not_exist_is_no_value(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        settings(tmp_path, 'mails_off = ["key-expiry", "second-rotations"]')
    assert caught.value.hint == "did you mean second-rotation?"
