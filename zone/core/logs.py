"""JSON log lines, one object a line, with the request id and without secrets."""

import json
import logging
import re
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache

from celery import current_task
from django.conf import settings

request_id: ContextVar[str] = ContextVar("request_id", default="")

_write = json.JSONEncoder(ensure_ascii=False).encode
# No line says where in the code it was written, or by which thread: then nobody looks for it.
# https://docs.python.org/3/howto/logging.html#optimization
logging._srcfile = None  # type: ignore[attr-defined]
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
_OWN_FIELDS = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "request", "data"}
# A log line says ids. Whatever is filed under these names never reaches it.
_SECRET_NAMES = (
    "token",
    "secret",
    "password",
    "authorization",
    "signature",
    "cookie",
    "code",
    "key",
)
_HARMLESS_NAMES = {"error_code", "status_code", "wallet_code", "key_id"}
HIDDEN = "[hidden]"
# What a library may print although nobody filed it under a name.
_SECRET_SHAPES = (
    re.compile(r"(?m)(?<=^DETAIL:  ).*$"),  # PostgreSQL quotes a whole row there.
    re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"),
    re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"),
    re.compile(r"\bwhsec_[\w+/=-]+"),
    re.compile(
        r"(?i)(?<![\w])[\"']?(?:\w*(?:token|secret|password|cookie|signature)|authorization|sessionid"
        r"|csrftoken|code)[\"']?\s*[=:]\s*[\"']?[^\s\"'&,;})]{4,}"
    ),
)
LONG_ENOUGH = 16  # Shorter values are words that appear by themselves.


class JsonFormatter(logging.Formatter):
    """A record as one JSON object; line breaks inside values stay inside their string."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": scrub(record.getMessage()),
        }
        if current := request_id.get():
            line["request_id"] = current
        if current_task and current_task.request.id:
            line["task_id"] = current_task.request.id
            line["task"] = current_task.name
        for name, value in record.__dict__.items():
            if name in _OWN_FIELDS:
                continue
            line[name] = HIDDEN if _is_secret(name) else _plain(value)
        if record.exc_info and record.exc_info[1]:
            line["exception"] = scrub("".join(traceback.format_exception(record.exc_info[1])))
        return _write(line)


@lru_cache(maxsize=500)
def _is_secret(name: str) -> bool:
    return name not in _HARMLESS_NAMES and any(word in name.lower() for word in _SECRET_NAMES)


def scrub(text: str) -> str:
    """`text` without our own secrets and without anything that has the shape of one."""
    for value in _own_secrets():
        text = text.replace(value, HIDDEN)
    for shape in _SECRET_SHAPES:
        text = shape.sub(HIDDEN, text)
    return text


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return scrub(str(value))


@lru_cache
def _own_secrets() -> tuple[str, ...]:
    values = {settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS, settings.ZONE_INDEX_KEY.hex()}
    values |= {key.hex() for key in settings.ZONE_KEYS.values()}
    values |= {str(database.get("PASSWORD", "")) for database in settings.DATABASES.values()}
    return tuple(value for value in values if len(value) >= LONG_ENOUGH)
