"""Routes of accounts. Each of allauth's is named here, so that an upgrade of allauth exposes nothing new.

The names are allauth's: it reverses them itself.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.cache import never_cache

from sealstead.server.accounts import mfa_pages, pages, people_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/login/", account.login, name="account_login"),
    path("account/logout/", account.logout, name="account_logout"),
    path("account/inactive/", account.account_inactive, name="account_inactive"),
    path("account/signup/", account.signup, name="account_signup"),
    path("account/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("account/email/", account.email, name="account_email"),
    path("account/confirm-email/", account.email_verification_sent, name="account_email_verification_sent"),
    re_path(
        r"^account/confirm-email/(?P<key>[-:\w]+)/$", account.confirm_email, name="account_confirm_email"
    ),
    path("account/password/change/", account.password_change, name="account_change_password"),
    path("account/password/set/", account.password_set, name="account_set_password"),
    path("account/password/reset/", account.password_reset, name="account_reset_password"),
    path("account/password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^account/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "account/password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("account/2fa/", mfa_pages.index, name="mfa_index"),
    path("account/2fa/authenticate/", mfa_pages.authenticate, name="mfa_authenticate"),
    path("account/2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("account/2fa/totp/activate/", mfa_pages.activate_totp, name="mfa_activate_totp"),
    path("account/2fa/totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/2fa/recovery-codes/", mfa_pages.recovery_codes, name="mfa_recovery_codes"),
    path("account/2fa/webauthn/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("account/2fa/webauthn/add/", mfa_pages.add_webauthn, name="mfa_add_webauthn"),
    path(
        "account/2fa/webauthn/reauthenticate/",
        webauthn.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/2fa/webauthn/keys/<int:pk>/remove/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path("account/2fa/webauthn/keys/<int:pk>/edit/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path("manage/account/", pages.account, name="manage_account"),
    path("manage/account/mails/", pages.choose_mails, name="manage_account_mails"),
    path(
        "manage/account/sign-out-elsewhere/",
        pages.sign_out_elsewhere,
        name="manage_account_sign_out_elsewhere",
    ),
    path("manage/server/users/", people_pages.people, name="server-users"),
    path("manage/server/users/add/", people_pages.add, name="server-user-add"),
    path("manage/server/users/<uuid:user_id>/", people_pages.person, name="server-user"),
    path("manage/server/users/<uuid:user_id>/<slug:action>/", people_pages.change, name="server-user-change"),
]

for _route in urlpatterns:
    if isinstance(_route, URLPattern):
        # What these pages say is for one person and one moment: no cache may keep it.
        _route.callback = never_cache(_route.callback)
