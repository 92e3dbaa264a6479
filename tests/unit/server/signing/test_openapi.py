"""The OpenAPI document names every route and is true of what the server answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.api_keys import issue_key
from tests.signing import OPERATOR, Client, item, make_certificate

from sealstead.server.api_edge import routes
from sealstead.server.signing.manage import grant

if TYPE_CHECKING:
    from sealstead.server.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    answer = Client("no key").ask("GET", "/api/v1/openapi.json")
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def test_every_route_is_named(document: dict[str, Any]) -> None:
    named = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert named == set(routes())


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    for part in text.split('"$ref": "')[1:]:
        assert part.split('"')[0].removeprefix("#/components/schemas/") in schemas


def test_answers_have_the_members_they_are_said_to_have(
    client: Client, document: dict[str, Any], ada: User
) -> None:
    grant(make_certificate(), ada, OPERATOR)
    _, text = issue_key(owner=ada, name="other")
    schemas = document["components"]["schemas"]
    key = Client(text).ask("GET", "/api/v1/key").json
    assert set(key) == set(schemas["Key"]["properties"])
    signed = client.sign(item()).json
    assert set(signed) == set(schemas["Signed"]["properties"])
    assert set(signed["certificate"]) == set(schemas["Certificate"]["properties"])
    refused = client.sign(item(), label="unknown").json
    assert set(schemas["Problem"]["required"]) <= set(refused)
