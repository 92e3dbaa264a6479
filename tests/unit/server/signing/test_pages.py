"""The pages on which administrators look after certificates, through Django's own client."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.certificates import NOW, TLS, YEAR, issue, issuer, leaf
from tests.fakes.clock import FakeClock
from tests.rows import make_user

from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.models import Event
from sealstead.server.signing.bounded_upload import MAX_BODY_BYTES
from sealstead.server.signing.models import Certificate

pytestmark = pytest.mark.django_db

SERVER = "/manage/server/certificates/"
PFX_PASSWORD = "password of the file"


@pytest.fixture(autouse=True)
def _now(fake_clock: FakeClock) -> None:
    fake_clock.moment = NOW


@pytest.fixture
def boss() -> User:
    return make_user("boss", is_superuser=True, is_staff=True)


@pytest.fixture
def client(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def upload(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def import_pfx(client: Client, **fields: Any) -> Any:
    form = {
        "file": upload("codesign.pfx", leaf().pfx(PFX_PASSWORD)),
        "password": PFX_PASSWORD,
        "label": "production",
        "profile": "authenticode",
    }
    return client.post(f"{SERVER}add/pfx/", form | fields, follow=True)


def make(client: Client, source: str = "test", **fields: Any) -> Certificate:
    form = {
        "label": "production",
        "profile": "authenticode",
        "algorithm": "P-256",
        "days": "365",
        "share": "on",
    }
    answer = client.post(f"{SERVER}add/{source}/", form | fields)
    assert answer.status_code == 302, text_of(answer)
    return Certificate.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])


@pytest.mark.parametrize(
    "path",
    [
        *("", "add/", "add/pfx/", "{pk}/", "{pk}/disable/", "{pk}/delete/", "{pk}/grant/", "{pk}/load/"),
        *("{pk}/withdraw/{user}/", "of/{user}/"),
    ],
)
def test_for_others_the_pages_do_not_exist(path: str, client: Client) -> None:
    row = make(client, "minisign")
    bob = make_user("bob")
    address = SERVER + path.format(pk=row.pk, user=bob.pk)
    visitor = Client()
    visitor.force_login(bob)
    before = Certificate.objects.values().get()
    for answer in (
        visitor.get(address),
        visitor.post(address, {"confirm": row.alias, "username": "bob", "certificate": str(row.pk)}),
    ):
        assert answer.status_code == 404
    assert Client().get(address).status_code == 302
    assert Certificate.objects.values().get() == before
    assert not row.grants.exists()


def test_a_pfx_is_imported_and_its_key_sealed(client: Client) -> None:
    answer = import_pfx(client)
    page = text_of(answer)
    assert "is there. Now grant it" in page
    row = Certificate.objects.get()
    assert (row.label, row.profile, row.subject) == ("production", "authenticode", "CN=Harbour Ltd")
    assert row.thumbprint in page
    assert len(row.chain) == 2
    assert leaf().key_pem not in bytes(row.sealed_key or b"")
    for secret in (PFX_PASSWORD, "PRIVATE KEY"):
        assert secret not in page
        assert not Event.objects.filter(details__icontains=secret).exists()


def test_a_pem_is_imported(client: Client) -> None:
    form = {"file": upload("key.pem", leaf().pem()), "label": "scripts", "profile": "cms-detached"}
    assert client.post(f"{SERVER}add/pem/", form).status_code == 302
    assert Certificate.objects.get().profile == "cms-detached"


def test_what_cannot_be_imported_is_said_and_nothing_stored(client: Client) -> None:
    flawed = {
        "The file does not open": {"password": "another"},
        "The file is of another format": {"file": upload("x.pfx", b"hello")},
        "The submitted file is empty": {"file": upload("x.pfx", b"")},
        "is not one for code signing": {
            "file": upload("x.pfx", issue("TLS", by=issuer(), purposes=TLS).pfx()),
            "password": "",
        },
        "is not valid today": {
            "file": upload("x.pfx", issue("Old", by=issuer(), end=NOW - timedelta(days=1)).pfx()),
            "password": "",
        },
        "This field is required": {"label": ""},
        "at most 100 characters": {"label": "x" * 101},
        "Select a valid choice": {"profile": "minisign"},
    }
    for message, fields in flawed.items():
        answer = import_pfx(client, **fields)
        assert answer.status_code == 400, message
        assert message in text_of(answer), message
        assert PFX_PASSWORD not in text_of(answer)
    assert not Certificate.objects.exists()
    assert not Event.objects.filter(tag=tags.CERTIFICATE_CREATED).exists()


def test_a_large_upload_is_not_read(client: Client) -> None:
    answer = client.post(f"{SERVER}add/pfx/", {"file": upload("x.pfx", bytes(MAX_BODY_BYTES))})
    assert answer.status_code == 413
    assert import_pfx(client, file=upload("x.pfx", bytes(1_000_001))).status_code == 400


def test_the_upload_still_needs_its_csrf_token(boss: User) -> None:
    visitor = Client(enforce_csrf_checks=True)
    visitor.force_login(boss)
    form = {"label": "production"}
    assert visitor.post(f"{SERVER}add/minisign/", form).status_code == 403
    page = visitor.get(f"{SERVER}add/minisign/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    assert visitor.post(f"{SERVER}add/minisign/", form | {"csrfmiddlewaretoken": token[1]}).status_code == 302


def test_a_request_waits_for_its_certificate_and_takes_the_right_one(client: Client) -> None:
    row = make(client, "csr", subject="CN=Harbour Ltd,O=Harbour Ltd,C=SE")
    address = f"{SERVER}{row.pk}/"
    page = text_of(client.get(address))
    assert "waits for its certificate" in page
    (pem,) = re.findall(
        r"-----BEGIN CERTIFICATE REQUEST-----.*?-----END CERTIFICATE REQUEST-----", page, re.DOTALL
    )
    request = x509.load_pem_x509_csr(pem.encode())
    issued = issue("Harbour Ltd", by=issuer(), key=_RequestKey(request), usage={"digital_signature": True})
    wrong = client.post(f"{address}load/", {"file": upload("x.pem", leaf().pem(key=False))})
    assert wrong.status_code == 400
    assert "None of the certificates belongs to the private key" in text_of(wrong)
    answer = client.post(f"{address}load/", {"file": upload("x.pem", issued.pem(key=False))}, follow=True)
    assert "is loaded" in text_of(answer)
    row.refresh_from_db()
    assert not row.awaits_chain
    assert row.alias == f"Harbour Ltd ({NOW + YEAR:%Y-%m-%d})"


class _RequestKey:
    """Stands for the key that stays on the server: only its public half is known."""

    def __init__(self, request: x509.CertificateSigningRequest) -> None:
        self._request = request

    def public_key(self) -> Any:
        return self._request.public_key()


def test_the_test_authority_is_marked_and_not_granted(client: Client) -> None:
    row = make(client)
    authority = Certificate.objects.get(is_root=True)
    make_user("bob")
    assert "A test certificate" in text_of(client.get(f"{SERVER}{row.pk}/"))
    assert "test authority" in text_of(client.get(SERVER))
    assert client.post(f"{SERVER}{authority.pk}/grant/", {"username": "bob"}).status_code == 404
    assert not authority.grants.exists()


def test_a_label_that_others_have_is_asked_about(client: Client) -> None:
    first = make(client)
    asked = import_pfx(client, label="PRODUCTION")
    assert asked.status_code == 400
    assert "Other certificates have this label" in text_of(asked)
    assert first.alias in text_of(asked)
    assert Certificate.objects.filter(is_root=False).count() == 1
    assert import_pfx(client, label="PRODUCTION", share="on").status_code == 200
    assert Certificate.objects.filter(label_key="production").count() == 2

    other = make(client, "minisign", label="wheels")
    address = f"{SERVER}{other.pk}/"
    assert client.post(address, {"label": "production", "alias": "a"}).status_code == 400
    assert client.post(address, {"label": "production", "alias": "a", "share": "on"}).status_code == 302
    # A label that is shared already needs no second yes, and a blank alias becomes an automatic one.
    assert client.post(address, {"label": "Production", "alias": ""}).status_code == 302
    other.refresh_from_db()
    assert (other.label, other.label_key) == ("Production", "production")
    assert other.alias not in {"", "a"}
    taken = client.post(address, {"label": "wheels", "alias": first.alias})
    assert "Another certificate has this alias" in text_of(taken)


def test_a_renewal_begins_with_the_label(client: Client) -> None:
    row = make(client, "minisign", label="a&b")
    address = html.unescape(
        re.findall(r'href="([^"]+[?]label=[^"]+)"', client.get(f"{SERVER}{row.pk}/").content.decode())[0]
    )
    links = re.findall(r'href="([^"]+/add/minisign/[^"]+)"', client.get(address).content.decode())
    assert 'value="a&b"' in text_of(client.get(html.unescape(links[0])))


def test_disabling_and_deleting_ask_first(client: Client) -> None:
    row = make(client, "minisign")
    address = f"{SERVER}{row.pk}/"
    assert client.get(f"{address}disable/").status_code == 200
    assert Certificate.objects.get().enabled
    client.post(f"{address}disable/")
    assert not Certificate.objects.get().enabled
    assert client.post(f"{address}disable/").status_code == 404  # it is so already: nothing to ask
    client.post(f"{address}enable/")
    assert Certificate.objects.get().enabled
    assert client.post(f"{address}delete/", {"confirm": "yes"}).status_code == 400
    assert client.post(f"{address}delete/", {"confirm": row.alias})["Location"] == SERVER
    assert not Certificate.objects.exists()
    assert Event.objects.get(tag=tags.CERTIFICATE_REMOVED).actor_name == "boss"
    assert client.get(address).status_code == 404


def test_grants_are_given_and_taken_from_the_certificate(client: Client) -> None:
    row, bob = make(client, "minisign"), make_user("bob")
    address = f"{SERVER}{row.pk}/"
    assert "There is no such account" in text_of(client.post(f"{address}grant/", {"username": "nobody"}))
    assert client.post(f"{address}grant/", {"username": "BOB@example.org"}).status_code == 302
    assert [one.user for one in row.grants.all()] == [bob]
    assert Event.objects.get(tag=tags.CERTIFICATE_GRANTED).user_id == bob.pk
    assert client.post(f"{address}withdraw/{uuid4()}/").status_code == 404
    client.post(f"{address}withdraw/{bob.pk}/")
    assert not row.grants.exists()


def test_the_list_is_searched(client: Client) -> None:
    import_pfx(client)
    make(client, "minisign", label="wheels")
    thumbprint = Certificate.objects.get(label="production").thumbprint
    spaced = " ".join(thumbprint[i : i + 2] for i in range(0, 40, 2)).lower()
    for query, found in {
        "WHEEL": 1,
        "harbour": 1,
        "production": 1,
        spaced: 1,
        "": 2,
        "nothing": 0,
        "\0": 2,
    }.items():
        rows = re.findall(r'<th scope="row">', text_of(client.get(SERVER, {"q": query})))
        assert len(rows) == found, query


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (timedelta(days=31), "usable"),
        (timedelta(days=30), "expires soon"),
        (timedelta(seconds=1), "expires soon"),
        (timedelta(0), "expired"),
    ],
)
def test_the_list_tells_what_is_about_to_end(
    client: Client, fake_clock: FakeClock, end: timedelta, state: str
) -> None:
    import_pfx(client)
    row = Certificate.objects.get()
    assert row.not_after is not None
    fake_clock.moment = row.not_after - end
    client.force_login(User.objects.get(username="boss"))  # the first session is long over
    assert f'">{state}</span>' in client.get(SERVER).content.decode()
