"""Every setting, read once from the environment. A value that makes no sense stops the start.

Nothing set: development on this machine, with a private PostgreSQL and Redis under `ZONE_DATA`.
`DATABASE_URL` and `REDIS_URL` set: external servers, and nothing of `zone.embedded` is imported.
"""

import sys
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import django.conf.locale
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from zone import api_settings, schedule
from zone.core import env
from zone.core.log_config import log_config

BASE_DIR = Path(__file__).resolve().parent.parent
ZONE_DATA = Path(env.text("ZONE_DATA", str(BASE_DIR / ".zone"))).expanduser().resolve()
ZONE_PORT = env.number("ZONE_PORT", 8000, least=1, most=65535)

# --- Where we run -----------------------------------------------------------------------------
ZONE_ENV = env.text("ZONE_ENV", "development", choices={"development", "production"})
IS_PRODUCTION = ZONE_ENV == "production"
DEBUG = env.boolean("DEBUG", False)
SITE_URL = env.text("SITE_URL", f"http://127.0.0.1:{ZONE_PORT}").rstrip("/")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
# The operators' console answers on this host alone; unset means the members' host (development).
CONSOLE_HOST = env.text("CONSOLE_HOST", "")
if CONSOLE_HOST and CONSOLE_HOST not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(CONSOLE_HOST)
IS_HTTPS = SITE_URL.startswith("https://")

# --- Secrets: generated for development, required in production --------------------------------
if IS_PRODUCTION:
    if DEBUG:
        raise ImproperlyConfigured("DEBUG: must be off when ZONE_ENV is production.")
    if not IS_HTTPS:
        raise ImproperlyConfigured(
            "SITE_URL: must start with https:// when ZONE_ENV is production."
        )
    _secrets: dict[str, str] = {}
else:
    from zone.embedded.secrets import development_secrets

    _secrets = development_secrets(ZONE_DATA)


def _secret(name: str) -> str:
    value = env.text(name, _secrets.get(name))
    if len(value) < 32:
        raise ImproperlyConfigured(f"{name}: needs at least 32 characters.")
    if IS_PRODUCTION and value.startswith("development-"):
        raise ImproperlyConfigured(f"{name}: is a development secret; make one of your own.")
    return value


def _key(name: str, value: str) -> bytes:
    try:
        key = bytes.fromhex(value)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured(f"{name}: must be 64 hexadecimal digits (32 bytes).")
    return key


SECRET_KEY = _secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS", [])
# Key-encryption keys by version, newest used for sealing: "1:<64 hex>,2:<64 hex>".
ZONE_KEYS: dict[int, bytes] = {}
for _part in _secret("ZONE_KEYS").split(","):
    _version, _value = (*_part.strip().removeprefix("development-").split(":", 1), "")[:2]
    if not _version.isdigit() or not 1 <= int(_version) <= 255:
        raise ImproperlyConfigured("ZONE_KEYS: each part must be `version:key`, version 1 to 255.")
    ZONE_KEYS[int(_version)] = _key("ZONE_KEYS", _value)
ZONE_INDEX_KEY = _key("ZONE_INDEX_KEY", _secret("ZONE_INDEX_KEY").removeprefix("development-"))
if len({SECRET_KEY, ZONE_INDEX_KEY.hex(), *(key.hex() for key in ZONE_KEYS.values())}) < 2 + len(
    ZONE_KEYS
):
    raise ImproperlyConfigured("SECRET_KEY, ZONE_KEYS and ZONE_INDEX_KEY must all differ.")

# --- Database and Redis -------------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL", "")
REDIS_URL = env.text("REDIS_URL", "")
if IS_PRODUCTION and not (DATABASE_URL and REDIS_URL):
    raise ImproperlyConfigured("DATABASE_URL and REDIS_URL: required when ZONE_ENV is production.")
MIGRATE_DATABASE_URL = env.text("MIGRATE_DATABASE_URL", DATABASE_URL)
_embedded = None
if not DATABASE_URL or not REDIS_URL:
    from zone.embedded import servers

    _embedded = servers.connect(ZONE_DATA, database=not DATABASE_URL, redis=not REDIS_URL)
    DATABASE_URL = DATABASE_URL or _embedded.database_url
    MIGRATE_DATABASE_URL = MIGRATE_DATABASE_URL or _embedded.migrate_database_url
    REDIS_URL = REDIS_URL or _embedded.redis_url

# Commands that change the schema or its rights connect as the owner, everything else as the app.
_OWNER_COMMANDS = {
    *("migrate", "prepare", "setup_roles"),
    *("sqlmigrate", "showmigrations", "makemigrations"),
}
_IS_OWNER = len(sys.argv) > 1 and sys.argv[1] in _OWNER_COMMANDS

# A Celery process forks, and a pool does not survive that; it also has one thread to serve.
_PROGRAM = Path(sys.argv[0])
IS_CELERY = "celery" in {_PROGRAM.name, _PROGRAM.parent.name}
# Web answers within seconds or not at all; commands run as long as they need (0 = no limit).
_STATEMENT_SECONDS = env.number("DATABASE_STATEMENT_SECONDS", 60 if IS_CELERY else 0, most=3600)
# Our statements take milliseconds: compiling one costs more than it could ever save.
_SESSION_OPTIONS = ["-c jit=off"]
if _STATEMENT_SECONDS:
    _SESSION_OPTIONS += [
        f"-c statement_timeout={_STATEMENT_SECONDS}s",
        f"-c idle_in_transaction_session_timeout={_STATEMENT_SECONDS}s",
    ]


def _database(name: str, url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name}: must start with postgresql://.")
    query = dict(parse_qsl(parts.query))
    query["options"] = " ".join([query.get("options", ""), *_SESSION_OPTIONS]).strip()
    host = query.pop("host", None) or (unquote(parts.hostname) if parts.hostname else "")
    if not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name}: names no database.")
    pool_size = env.number("DATABASE_POOL_SIZE", 4, least=1, most=100)
    return {
        "ENGINE": "zone.core.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **query,
            "pool": False if IS_CELERY else {"min_size": 1, "max_size": pool_size, "timeout": 5},
            "connect_timeout": 5,
        },
    }


DATABASES = {
    "default": _database("MIGRATE_DATABASE_URL", MIGRATE_DATABASE_URL)
    if _IS_OWNER
    else _database("DATABASE_URL", DATABASE_URL)
}
# Journals in `public`: the app adds rows and never changes one. `setup_roles` enforces it.
ZONE_APPEND_ONLY_TABLES: list[str] = [
    "benefits_claimevent",
    "benefits_benefitevent",
    "benefits_benefitterms",
    "benefits_ruleversion",
    "benefits_segmentevent",
]
if not REDIS_URL.startswith(("redis://", "rediss://", "unix://", "filesystem://")):
    raise ImproperlyConfigured("REDIS_URL: must start with redis://, rediss:// or unix://.")
HAS_REDIS = not REDIS_URL.startswith("filesystem://")

# --- Rooms --------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "zone.console.apps.ConsoleConfig",
    "zone.pages.apps.PagesConfig",
    "benefits.apps.BenefitsConfig",
    "credits.apps.CreditsConfig",
    "zone.history.apps.HistoryConfig",
    "zone.notices.apps.NoticesConfig",
    "zone.members.apps.MembersConfig",
    "zone.members.sandbox.apps.SandboxConfig",
    "zone.partners.apps.PartnersConfig",
    "zone.core.apps.CoreConfig",
    "zone.console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
]
if not IS_PRODUCTION and (_embedded is not None or sys.argv[1:2] == ["demo"]):
    INSTALLED_APPS.append("zone.embedded")  # The command `demo`, nothing else.
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE = [
    "zone.core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "zone.core.csp.PolicyMiddleware",
    "zone.partners.middleware.ApiMiddleware",
    "benefits.middleware.RushMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "zone.console.middleware.ConsoleMiddleware",
    "zone.members.middleware.MemberMiddleware",
    "zone.members.middleware.MemberLocaleMiddleware",
    "zone.pages.middleware.WrongMethodPageMiddleware",
    "zone.members.middleware.MemberRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "zone.urls"
WSGI_APPLICATION = "zone.wsgi.application"
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
                "zone.pages.context.shell",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 6
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "console/locked.html"
OTP_TOTP_ISSUER = "Apple Zone"
AXES_IPWARE_PROXY_COUNT = env.number("PROXY_COUNT", 0, most=5)

# --- Languages, time, static files --------------------------------------------------------------
# Django has no Filipino of its own; without this entry the language's name cannot be looked up.
django.conf.locale.LANG_INFO["fil"] = {
    "bidi": False, "code": "fil", "name": "Filipino", "name_local": "Filipino",
}  # fmt: skip
LANGUAGE_CODE = "en"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "zone" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = ZONE_DATA / "static"
if not IS_PRODUCTION:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise looks there before it is filled.
MEDIA_URL = "/media/"
MEDIA_ROOT = ZONE_DATA / "media"
# Collected files carry their content's hash and are served compressed; otherwise as they lie.
STATIC_COLLECTED = env.boolean("STATIC_COLLECTED", IS_PRODUCTION)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED

# --- Cookies, headers, content policy -----------------------------------------------------------
_COOKIE_PREFIX = "__Host-" if IS_HTTPS else ""
MEMBER_COOKIE_NAME = f"{_COOKIE_PREFIX}zone_member"
# Ties a trip to the wallet and back to the browser that set out.
VISIT_COOKIE_NAME = f"{_COOKIE_PREFIX}zone_visit"
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}zone_operator"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}zone_csrf"
LANGUAGE_COOKIE_NAME = f"{_COOKIE_PREFIX}zone_language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600  # seconds: an operator's working day, at most
SESSION_ENGINE = "django.contrib.sessions.backends.db"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
if CONSOLE_HOST:
    CSRF_TRUSTED_ORIGINS.append(f"{urlsplit(SITE_URL).scheme}://{CONSOLE_HOST}")
CSRF_FAILURE_VIEW = "zone.pages.views.errors.csrf_failure"
SECURE_SSL_REDIRECT = False  # The proxy redirects pages; the API must refuse, never redirect.
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # See SECURE_SSL_REDIRECT above.
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Work in the background: Redis rings, PostgreSQL remembers ----------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
# A publisher gives up at once, for somebody waits for its answer; a worker has time.
_PUBLISHER_OPTIONS = {"socket_timeout": 0.5, "max_retries": 0}
_WORKER_OPTIONS = {
    "socket_timeout": 5,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
_FILE_BROKER = ZONE_DATA / "broker"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.3,
    "retry_on_timeout": False,
    "health_check_interval": 25,
    "visibility_timeout": 900,
    **(_WORKER_OPTIONS if IS_CELERY else _PUBLISHER_OPTIONS),
} if HAS_REDIS else {
    "data_folder_in": str(_FILE_BROKER),
    "data_folder_out": str(_FILE_BROKER),
    "control_folder": str(_FILE_BROKER / "control"),
}  # fmt: skip
if not HAS_REDIS:
    (_FILE_BROKER / "control").mkdir(parents=True, exist_ok=True)
CELERY_BROKER_CONNECTION_TIMEOUT = 4 if IS_CELERY else 0.5
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
# A worker that takes nothing for so long while messages wait ends itself, to be started again.
WORKER_MUTE_SECONDS = 30.0
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = schedule.BEAT_SCHEDULE
ZONE_DRAINS = schedule.DRAINS

# --- The programme ------------------------------------------------------------------------------
# The built-in sandbox wallet lets anyone be anyone: never outside development.
ZONE_SANDBOX = env.boolean("ZONE_SANDBOX", not IS_PRODUCTION)
if IS_PRODUCTION and ZONE_SANDBOX:
    raise ImproperlyConfigured("ZONE_SANDBOX: must be off when ZONE_ENV is production.")
SANDBOX_ISSUER_URL = env.text("SANDBOX_ISSUER_URL", "")
# Networks beside us in which partners may listen, and who vouches for receivers there. Events are
# sent nowhere else but to the open internet.
WEBHOOK_INNER_NETWORKS = env.networks("WEBHOOK_INNER_NETWORKS")
WEBHOOK_CA_FILE = env.text("WEBHOOK_CA_FILE", "")
# Where letters to partners' contacts go out; without it none is written.
EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.number("EMAIL_PORT", 25, least=1, most=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "apple-zone@localhost")
ZONE_CLOCK_OFFSET_SECONDS = 0  # Only tests change it.
MEMBER_ARRIVAL_TASKS = schedule.MEMBER_ARRIVAL_TASKS
BINDING_TASKS = schedule.BINDING_TASKS
ERASURE_TASKS = schedule.ERASURE_TASKS
ERASURE_ROOMS = schedule.ERASURE_ROOMS
# Whoever unlinks finds their credits again for so many days; then the account is closed.
CREDITS_KEPT_DAYS = env.number("CREDITS_KEPT_DAYS", 365, least=1, most=1825)
# A signed log of the ledger's sealed roots, outside the database: best on a disk that keeps what was
# written. Unset: nothing is published but the page of roots.
SEAL_LOG = env.text("SEAL_LOG", "")
SEAL_LOG_KEY = _key("SEAL_LOG_KEY", env.text("SEAL_LOG_KEY", "")) if SEAL_LOG else b""
# Where alarms are told outside, signed with the secret as Standard Webhooks says. Unset: on the console
# alone.
ALARM_WEBHOOK_URL = env.address("ALARM_WEBHOOK_URL", allows_http=not IS_PRODUCTION)
ALARM_WEBHOOK_SECRET = env.webhook_secret("ALARM_WEBHOOK_SECRET") if ALARM_WEBHOOK_URL else ""
# Credits that an operator of a role moves by hand in 24 hours without a second person.
ADJUST_LIMITS = {"finance": 1000}
REDEEM_HOSTS = env.words(
    "REDEEM_HOSTS", ["apps.apple.com", "music.apple.com", "redeem.apple.com", "apple.co"]
)
# Font files for the posters of gifts, tried before those that Linux distributions install.
POSTER_FONTS = env.words("POSTER_FONTS", [])

REST_FRAMEWORK = api_settings.REST_FRAMEWORK
SPECTACULAR_SETTINGS = {**api_settings.SPECTACULAR_SETTINGS, "SERVERS": [{"url": SITE_URL}]}

LOG_LEVEL = env.text("LOG_LEVEL", "INFO", choices={"DEBUG", "INFO", "WARNING", "ERROR"})
LOGGING = log_config(LOG_LEVEL)
