"""Django settings, built from the operator's settings (`config.py`).

The process finds its data directory in SEALSTEAD_DATA_DIR. The operator's settings are one
object: `settings.SEALSTEAD` (`config.Config`).
"""

from __future__ import annotations

from pathlib import Path

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
    "sealstead.server.index",
]

MIDDLEWARE = [
    "sealstead.server.audit.origin.OriginMiddleware",
    "sealstead.server.health.HealthMiddleware",
    "sealstead.server.problem.ProblemMiddleware",
    "sealstead.server.site.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sealstead.server.site.language.AccountLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
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
            "libraries": {"site": "sealstead.server.site.tags"},
        },
    },
]

DATABASES = {"default": SEALSTEAD.database}

# Accounts.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "manage_account"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 30 * 60
SESSION_ENGINE = "sealstead.server.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60  # as sessions.IDLE, which the server itself holds to
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
