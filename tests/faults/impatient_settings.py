"""The product's settings, where Redis hands a message out again after two seconds."""

from zone.settings import *  # noqa: F403
from zone.settings import CELERY_BROKER_TRANSPORT_OPTIONS as OPTIONS

CELERY_BROKER_TRANSPORT_OPTIONS = {
    **OPTIONS, "visibility_timeout": 2, "unacked_restore_interval": 1,
}  # fmt: skip
