"""Django settings, built from the operator's settings (`config.py`).

The process finds its data directory in SEALSTEAD_DATA_DIR. The operator's settings are one
object: `settings.SEALSTEAD` (`config.Config`).
"""

from __future__ import annotations

from pathlib import Path

import django

from sealstead.server.config_file import load_config

SEALSTEAD = load_config()

BASE = Path(__file__).resolve().parent
SECRET_KEY = SEALSTEAD.secret_key
SECRET_KEY_FALLBACKS = SEALSTEAD.secret_key_fallbacks
DEBUG = False
ALLOWED_HOSTS = SEALSTEAD.hosts
ROOT_URLCONF = "sealstead.server.urls"
WSGI_APPLICATION = "sealstead.server.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
# The last two are pseudo-locales for tests (docs/guides/translate.md): no chooser shows them unless the switch is on.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("en-xa", "Ƥšéüðö"), ("ar-xb", "Pseudo RTL")]
SHOW_PSEUDO_LANGUAGES = False
LANGUAGE_COOKIE_HTTPONLY = True
LOCALE_PATHS = [BASE / "locale"]
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # uploads go through index/blobs.py
    "staticfiles": {"BACKEND": "sealstead.server.site.assets.HashedAssetStorage"},
}
STATICFILES_DIRS = [BASE / "static"]
SITE_ID = 1

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "sealstead.server.audit",
    "sealstead.server.accounts",
    "sealstead.server.credentials",
    "sealstead.server.signing",
    "sealstead.server.index",
]

MIDDLEWARE = [
    "sealstead.server.audit.origin.OriginMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "sealstead.server.health.HealthMiddleware",
    "sealstead.server.problem.ProblemMiddleware",
    "sealstead.server.site.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sealstead.server.site.language.AccountLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "sealstead.server.accounts.middleware.TooManyAttemptsMiddleware",
    "sealstead.server.accounts.middleware.TemporaryPasswordMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {
                "accounts": "sealstead.server.accounts.template_filters",
                "site": "sealstead.server.site.tags",
            },
        },
    },
]

DATABASES = {"default": SEALSTEAD.database}

# The supervisor has set up logs before Django starts (logs.py); Django's own handlers would print past `redact`.
LOGGING_CONFIG = None

# Transport. HSTS would outlive a local authority and lock its host out of plain HTTP on every port.
SECURE_HSTS_SECONDS = 0 if SEALSTEAD.tls_self_signed else int(SEALSTEAD.hsts.total_seconds())
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CSRF_TRUSTED_ORIGINS = [SEALSTEAD.public_url]
X_FRAME_OPTIONS = "DENY"

# Mail.
_MAIL_BACKEND = "sealstead.server.outbox.OutboxBackend"
_MAIL_OPTIONS: dict[str, object] = {}
if SEALSTEAD.smtp_host:
    _MAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    _MAIL_OPTIONS = {
        "host": SEALSTEAD.smtp_host,
        "port": SEALSTEAD.smtp_port,
        "username": SEALSTEAD.smtp_user,
        "password": SEALSTEAD.smtp_password.reveal() if SEALSTEAD.smtp_password else "",
        "use_tls": SEALSTEAD.smtp_security == "starttls",
        "use_ssl": SEALSTEAD.smtp_security == "tls",
        "timeout": 20,
    }
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": _MAIL_BACKEND, "OPTIONS": _MAIL_OPTIONS}}
else:  # can go when Django 5.2 does
    EMAIL_BACKEND = _MAIL_BACKEND
    EMAIL_HOST = _MAIL_OPTIONS.get("host", "localhost")
    EMAIL_PORT = _MAIL_OPTIONS.get("port", 25)
    EMAIL_HOST_USER = _MAIL_OPTIONS.get("username", "")
    EMAIL_HOST_PASSWORD = _MAIL_OPTIONS.get("password", "")
    EMAIL_USE_TLS = _MAIL_OPTIONS.get("use_tls", False)
    EMAIL_USE_SSL = _MAIL_OPTIONS.get("use_ssl", False)
    EMAIL_TIMEOUT = _MAIL_OPTIONS.get("timeout")
MAIL_IN_BACKGROUND = bool(SEALSTEAD.smtp_host)  # ours (accounts/mail.py): nobody waits for a mail server
DEFAULT_FROM_EMAIL = SERVER_EMAIL = SEALSTEAD.mail_from

# Accounts.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "manage_account"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody can have us write to strangers
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
ACCOUNT_MAX_EMAIL_ADDRESSES = 10
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_USERNAME_VALIDATORS = "sealstead.server.accounts.names.VALIDATORS"
ACCOUNT_ADAPTER = "sealstead.server.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "sealstead.server.accounts.forms.LoginForm",
    "signup": "sealstead.server.accounts.forms.SignupForm",
    "reset_password": "sealstead.server.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "sealstead.server.accounts.forms.ResetPasswordKeyForm",
    "change_password": "sealstead.server.accounts.forms.ChangePasswordForm",
    "set_password": "sealstead.server.accounts.forms.SetPasswordForm",
    "reauthenticate": "sealstead.server.accounts.forms.ReauthenticateForm",
    "add_email": "sealstead.server.accounts.forms.AddEmailForm",
}
# allauth counts attempts in Django's cache, which is of one process. Ours are in the database (accounts/limits.py).
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False
MFA_ADAPTER = "sealstead.server.accounts.mfa_adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]  # recovery codes are ours: allauth stores what they are made from
MFA_ALLOW_UNVERIFIED_EMAIL = True  # accounts/mfa_forms.py asks for one verified address, not for all
MFA_FORMS = {
    "authenticate": "sealstead.server.accounts.mfa_forms.AuthenticateForm",
    "reauthenticate": "sealstead.server.accounts.mfa_forms.ReauthenticateForm",
    "activate_totp": "sealstead.server.accounts.mfa_forms.ActivateTOTPForm",
    "add_webauthn": "sealstead.server.accounts.mfa_forms.AddWebAuthnForm",
    "edit_webauthn": "sealstead.server.accounts.mfa_forms.EditWebAuthnForm",
    "authenticate_webauthn": "sealstead.server.accounts.mfa_forms.AuthenticateWebAuthnForm",
    "reauthenticate_webauthn": "sealstead.server.accounts.mfa_forms.ReauthenticateWebAuthnForm",
}
# Nothing that matters may be in a per-process cache; without one, whatever asks for it finds nothing.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
SESSION_ENGINE = "sealstead.server.accounts.sessions"
# Behind TLS the browser itself holds to `__Host-` (RFC 6265bis): Secure, for the whole host and no other.
_COOKIE_PREFIX = "__Host-" if SEALSTEAD.behind_tls else ""
SESSION_COOKIE_NAME = _COOKIE_PREFIX + "sealstead"
CSRF_COOKIE_NAME = _COOKIE_PREFIX + "csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SEALSTEAD.behind_tls
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60  # as sessions.IDLE, which the server itself holds to
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
PASSWORD_HASHERS = ["sealstead.server.accounts.passwords.Rfc9106LowMemory"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},  # as passwords.MIN_LENGTH
    },
    {"NAME": "sealstead.server.accounts.passwords.MaximumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
