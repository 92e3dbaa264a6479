"""Routes of the pages of keys and tokens."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from sealstead.server.credentials import key_pages, pages, person_keys, policy_page

urlpatterns: list[URLPattern | URLResolver] = [
    path("manage/account/token/", pages.add, name="token_add"),
    path("manage/account/token/<uuid:credential_id>/", pages.details, name="token_details"),
    path("manage/account/token/<uuid:credential_id>/rotate/", pages.rotate, name="token_rotate"),
    path("manage/account/token/<uuid:credential_id>/revoke/", pages.revoke_one, name="token_revoke"),
    path("manage/account/token/<uuid:credential_id>/delete/", key_pages.delete, name="token_delete"),
    path("manage/account/token/clean-up/", key_pages.clean_up_ended, name="token_clean_up"),
    path("manage/account/key/", key_pages.add_key, name="key_add"),
    path(
        "manage/account/key/<uuid:credential_id>/regenerate/", key_pages.regenerate_key, name="key_regenerate"
    ),
    path("manage/account/key/<uuid:credential_id>/switch/", key_pages.switch_key, name="key_switch"),
    path("manage/policy/", policy_page.policy_page, name="policy"),
    path(
        "manage/server/keys/<uuid:user_id>/revoke/", person_keys.revoke_keys, name="server-user-keys-revoke"
    ),
]
