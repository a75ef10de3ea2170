"""What is logged where: JSON lines on standard error, one formatter for every program."""

from typing import Any


def log_config(level: str) -> dict[str, Any]:
    """`LOGGING` for a level, as logging.config.dictConfig reads it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "zone.core.logs.JsonFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["stderr"], "level": level, "propagate": False},
            "axes": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},  # Every request has its line already.
            "httpx": {"level": "WARNING"},
        },
    }
