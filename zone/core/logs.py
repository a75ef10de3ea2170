"""JSON log lines, one object a line, with the request id and without secrets."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")

_OWN_FIELDS = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "request"}
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


class JsonFormatter(logging.Formatter):
    """A record as one JSON object; line breaks inside values stay inside their string."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            line["request_id"] = current
        for name, value in record.__dict__.items():
            if name in _OWN_FIELDS:
                continue
            is_secret = any(word in name.lower() for word in _SECRET_NAMES)
            line[name] = "[hidden]" if is_secret and name != "error_code" else value
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)
