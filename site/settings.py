"""Parley's settings. The environment decides; ``docs/settings.md`` lists its variables."""

import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("VAR", BASE_DIR / "var"))  # what the embedded default writes: database, key, media


def listed(name, default=""):
    return [one.strip() for one in os.environ.get(name, default).split(",") if one.strip()]


def private(file):
    """Let nobody else on this machine read ``file`` (Path), which is made if it is missing.

    What SQLite puts beside its file (-wal, -shm) gets the same permissions from it.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        file.touch(mode=0o600)
    for path in (file, *file.parent.glob(f"{file.name}-*")):
        with suppress(FileNotFoundError, PermissionError):  # SQLite removes them; the owner may be another
            path.chmod(0o600)
    return file


def secret_key():
    """The environment's, or one of our own making, kept beside the embedded database."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    if os.environ.get("DATABASE_URL") and not DEBUG:
        raise ImproperlyConfigured("Set SECRET_KEY: several processes must share it.")
    file = private(VAR / "secret_key")
    if not file.read_text():
        from django.core.management.utils import get_random_secret_key

        file.write_text(get_random_secret_key())
    return file.read_text()


DEBUG = os.environ.get("DEBUG", "") not in ("", "0", "false", "off")
SECRET_KEY = secret_key()
PORT = int(os.environ.get("PORT", 8000))
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
ORIGINS = listed("ORIGINS", f"http://localhost:{PORT},http://127.0.0.1:{PORT}")
CSRF_TRUSTED_ORIGINS = ORIGINS
HTTPS = all(origin.startswith("https://") for origin in ORIGINS)

INSTALLED_APPS = [
    "live",
    "people",
    "inbox",
    "moderation",
    "posts",
    "rooms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
]
MIDDLEWARE = [
    "parley.hosts.ForwardedHosts",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "parley.requests.WellFormed",
    "django.middleware.common.CommonMiddleware",
    "people.middleware.MadeFor",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "people.middleware.Preferences",
    "people.middleware.Refusals",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
ROOT_URLCONF = "parley.urls"
ASGI_APPLICATION = "parley.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "people.context.token",
                "people.streams.live",
                "inbox.context.inbox",
            ],
            "builtins": ["people.templatetags.tokens"],
        },
    }
]

# Data

SQLITE = {
    "transaction_mode": "IMMEDIATE",  # take the write lock at once: no "database is locked" half-way
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
DATABASE_URL = os.environ.get("DATABASE_URL") or f"sqlite:///{VAR / 'parley.sqlite3'}"
DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # One connection for each thread, of which there are few; they take turns at writing.
    DATABASES["default"] |= {"ENGINE": "parley.sqlite3", "OPTIONS": SQLITE, "CONN_MAX_AGE": None}
    if (name := DATABASES["default"]["NAME"]) != ":memory:":
        private(Path(name))
else:
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 2, "max_size": 16, "timeout": 10}}
    DATABASES["default"] |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if REDIS_URL := os.environ.get("REDIS_URL"):
    from redis.backoff import NoBackoff  # slow to import: not for those who have none
    from redis.retry import Retry

    # A subscriber waits for as long as nothing happens: no socket_timeout.
    hosts = [{"address": REDIS_URL, "socket_timeout": None}]
    LAYER = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": hosts}}
    CACHES = {"default": {"BACKEND": "parley.cache.RedisCache", "LOCATION": REDIS_URL}}
    CACHES["default"]["OPTIONS"] = {"socket_connect_timeout": 2, "socket_timeout": 2, "retry": Retry(NoBackoff(), 0)}
else:
    LAYER = {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 100_000}}
    # Sign-in attempts are counted in it: so many that nobody makes room for more by asking for other names.
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CACHES["default"]["OPTIONS"] = {"MAX_ENTRIES": 100_000}
CHANNEL_LAYERS = {"default": LAYER}

# People

AUTH_USER_MODEL = "people.Person"
# One alone, which knows Django's permissions too: a second would hash every wrong password once more.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_USERNAME_VALIDATORS = "people.models.username_validators"
ACCOUNT_USERNAME_MIN_LENGTH = 2
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_ADAPTER = "people.adapters.AccountAdapter"
ACCOUNT_FORMS = {"add_email": "people.forms.AddEmailForm"}
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before the address is changed, which a borrowed session would take over
ACCOUNT_CHANGE_EMAIL = True  # one address; a new one takes its place once it is confirmed
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Parley] "
ACCOUNT_EMAIL_VERIFICATION = os.environ.get("EMAIL_VERIFICATION", "optional")
# Who signs up with an address that has an account learns nothing of it: there may be two until one is confirmed.
ACCOUNT_PREVENT_ENUMERATION = "strict"
# Beside wrong passwords, which we count (RATES_OF). "key" is the e-mail address: nobody's letter box is filled.
ACCOUNT_RATE_LIMITS = {
    "signup": "10/m/ip,50/d/ip",
    "reset_password": "20/m/ip,100/d/ip,5/h/key",
    "manage_email": "10/m/user,20/d/user",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]  # security keys would need scripts
MFA_TOTP_ISSUER = urlsplit(ORIGINS[0]).hostname
# Nobody is locked out by it: an address that is not confirmed is nobody's, and may be used for another account.
MFA_ALLOW_UNVERIFIED_EMAIL = True
USERSESSIONS_ADAPTER = "people.adapters.UserSessionsAdapter"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
SESSION_ENGINE = "parley.sessions"

# Mail: EMAIL_URL is smtp://user:password@host:port, smtps:// for TLS from the start, smtp+tls:// for STARTTLS; or
# console://, which sends nothing. Only with DEBUG are mails printed whole: they hold links that set passwords.

EMAIL_URL = urlsplit(os.environ.get("EMAIL_URL") or "console://")
if EMAIL_URL.scheme == "console":
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend" if DEBUG else "parley.mail.Unsent"
elif EMAIL_URL.scheme not in ("smtp", "smtps", "smtp+tls"):
    raise ImproperlyConfigured("EMAIL_URL begins with smtp://, smtps://, smtp+tls:// or console://.")
EMAIL_HOST = EMAIL_URL.hostname or "localhost"
EMAIL_PORT = EMAIL_URL.port or {"smtps": 465, "smtp+tls": 587}.get(EMAIL_URL.scheme, 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(EMAIL_URL.username or ""), unquote(EMAIL_URL.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = EMAIL_URL.scheme == "smtps", EMAIL_URL.scheme == "smtp+tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = os.environ.get("EMAIL_FROM", "Parley <parley@localhost>")

# Words

LANGUAGE_CODE = os.environ.get("LANGUAGE_CODE", "en")
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
USE_TZ = True

# Files

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# Guards

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:", "https:"],  # posts may show pictures from elsewhere; comments have none
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
CSRF_FAILURE_VIEW = "people.stale_forms.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# What strangers ask for in vain is no news; what fails is told once, and without what opens a door: see logs.py.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "parley.logs.Formatter", "format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "filters": {"sparing": {"()": "parley.logs.Sparing"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["sparing"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "daphne": {"level": "WARNING"},
        "uvicorn": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "uvicorn.access": {"handlers": [], "propagate": False},  # where it has no handler, it does not even ask
        "django": {"handlers": [], "level": "INFO"},
        "django.request": {"level": "ERROR"},  # a warning is a refusal: 403, 404, 405
    },
}

REAL_IP_HEADER = os.environ.get("REAL_IP_HEADER", "")  # set by our own proxy, and only then to be believed
ALLAUTH_TRUSTED_CLIENT_IP_HEADER = REAL_IP_HEADER or None

LIVE = {
    "ORIGINS": ORIGINS,
    "SCRIPT": "js/htmx-ws.js",
    "REAL_IP_HEADER": REAL_IP_HEADER,
    "LIMITED": os.environ.get("RATES", "on") != "off",  # off: no limits of sockets, nor RATES_OF, for measurements
    "HEARTBEAT": float(os.environ.get("HEARTBEAT", 15)),
    "LOOK_EVERY": float(os.environ.get("LOOK_EVERY", 2)),
    "REQUEST_TIMEOUT": float(os.environ.get("REQUEST_TIMEOUT", 10)),
    "SPREAD": float(os.environ.get("SPREAD", 10)),
    "UPLOAD_MAX_SIZE": 10 * 1024 * 1024,  # deploy/nginx.conf says the same
}

# How often one may do what: (times, seconds), of which all hold. ``new`` is for accounts younger than RATES_NEW
# seconds; ``address`` for all people of one address together, for it may be an office, or a demo of two browsers.

DAY = 24 * 3600
RATES_NEW = DAY
RATES_OF = {
    "comment": {
        "person": [(1, 5), (10, 600), (60, DAY)],
        "new": [(1, 30), (10, DAY)],
        "address": [(5, 5), (50, 600), (300, DAY)],
    },
    "edit": {"person": [(5, 30), (30, 600)], "address": [(25, 30), (150, 600)]},  # of comments and messages
    "line": {"person": [(5, 5), (100, 300)], "address": [(50, 5), (1000, 300)]},  # in all rooms together
    "conversation": {"person": [(20, DAY)], "address": [(100, DAY)]},  # begun, not answered
    "report": {"person": [(10, 600)], "address": [(50, 600)]},
    "subscription": {"person": [(30, 60), (300, 3600)], "address": [(150, 60)]},  # to follow, mute, leave and so on
    "profile": {"person": [(20, 600), (60, DAY)], "address": [(60, 600), (300, DAY)]},  # preferences, too
    "export": {"person": [(3, 3600), (10, DAY)], "address": [(20, 3600)]},
    "complete": {"person": [(50, 10)]},  # names that are begun
    # Wrong passwords. An IPv6 network counts as one address.
    "unlock": {"person": [(5, 60), (20, 3600)], "address": [(5, 60), (20, 3600)]},  # of a post
    "sign-in": {
        "address": [(10, 60), (100, 3600)],
        "pair": [(5, 300), (20, 3600)],  # of one name from one address
        "name": [(100, 3600)],  # from wherever nobody of that name signed in before
    },
}
if os.environ.get("RATES") in ("off", "sockets"):  # sockets: theirs are limited and nothing else, for tests
    RATES_OF = {}

# The rules of commenting. Numbers are in characters, levels, rows and seconds.

COMMENT_LENGTH = 4000
COMMENT_DEPTH = 18
COMMENT_INDENT = 4
COMMENTS_PER_PAGE = 50
COMMENTS_HELD = 250  # that a page gets again which had loaded so many
REPLIES_PER_PAGE = 20
REPLIES_IN_ALL = 500
COMMENT_TWICE_WITHIN = 5 * 60
COMMENT_EDIT_WITHIN = 15 * 60
COMMENT_EDIT_SILENT = 60
COMMENT_DELETE_WITHIN = 14 * 24 * 3600
POSTS_PER_PAGE = 20
BESIDE = {"article": ["rooms/about_article.html"], "person": ["rooms/write_to.html"]}  # what other apps show there
MENTIONS = 10  # names in one text that are looked up

# Which comments wait for a moderator. People in a group, and the staff, are trusted.

REVIEW = os.environ.get("REVIEW", "on") != "off"  # off: none, for tests and measurements
REVIEW_FIRST = 2
REVIEW_LINKS = 2
SPAM_CHECKS = ["moderation.spam.words", "moderation.spam.akismet"]
AKISMET_KEY = os.environ.get("AKISMET_KEY", "")
AKISMET_URL = "https://rest.akismet.com/1.1/comment-check"
AKISMET_TIMEOUT = 3

# The rules of rooms and of private messages, in the same units.

MESSAGE_LENGTH = 2000
MESSAGES_AT_FIRST = 40
MESSAGES_IN_PAGE = 300
MESSAGE_EDIT_WITHIN = 15 * 60
MESSAGE_TURN = 5 * 60  # a longer silence begins a new turn
MARKS_AT_ONCE = 200
CONVERSATION_MOST = 10
CONVERSATION_AGE = 24 * 3600
PEOPLE_SHOWN_UP_TO, PEOPLE_SHOWN_OF_MORE = 50, 20

# The inbox and announcements.

NOTIFICATIONS_PER_PAGE = 20
BADGE_MOST = 99
ANNOUNCEMENTS_APART = 60

# Mails about what happened: never sooner, and bundles and daily ones never closer. In seconds.

MAIL_DELAY = 10 * 60
MAIL_BUNDLED = 4 * 3600
MAIL_DAILY = 24 * 3600
