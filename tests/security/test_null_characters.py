"""NUL in an address is nobody's page, on either database."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from tests.server_process import Server

PATHS = [
    "/%00/",
    "/?q=%00",
    "/search/?q=a%00b&page=%00",
    "/project/%00/",
    "/project/a%00b/1.0/",
    "/simple/%00/",
    "/simple/a%00b/",
    "/pypi/%00/json",
    "/pypi/a/%00/json",
    "/files/%00/aa/bb/x.whl",
    "/files/aa/bb/cc/%00.whl",
    "/manage/project/%00/members/",
    "/account/login/?next=%00",
    "/static/%00",
]


@pytest.mark.parametrize("path", PATHS)
def test_nul_in_an_address_is_no_internal_error(server: Server, path: str) -> None:
    try:
        with urllib.request.urlopen(server.url + path, timeout=20) as answer:
            status = answer.status
    except urllib.error.HTTPError as exc:
        status = exc.code
        exc.close()
    assert status < 500
