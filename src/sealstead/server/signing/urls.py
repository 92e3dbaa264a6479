"""Routes of the certificate pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from sealstead.server.signing import own_pages, pages, person

_SERVER = "manage/server/certificates/"
_ONE = f"{_SERVER}<uuid:certificate_id>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("manage/account/certificates/", own_pages.own_certificates, name="own-certificates"),
    path(
        "manage/account/certificates/<uuid:certificate_id>/<slug:part>/",
        own_pages.download,
        name="certificate-download",
    ),
    path(_SERVER, pages.certificates, name="server-certificates"),
    path(f"{_SERVER}add/", pages.choose_source, name="server-certificate-sources"),
    path(f"{_SERVER}add/<slug:source>/", pages.add, name="server-certificate-add"),
    path(f"{_SERVER}of/<uuid:user_id>/", person.set_certificates, name="server-user-certificates"),
    path(_ONE, pages.certificate, name="server-certificate"),
    path(f"{_ONE}load/", pages.load, name="server-certificate-load"),
    path(f"{_ONE}grant/", pages.grant, name="server-certificate-grant"),
    path(f"{_ONE}withdraw/<uuid:user_id>/", pages.withdraw, name="server-certificate-withdraw"),
    path(f"{_ONE}<slug:action>/", pages.change, name="server-certificate-change"),
]
