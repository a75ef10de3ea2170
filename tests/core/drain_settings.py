"""The product's settings with one drain more, which leaves a mark."""

from zone.settings import *  # noqa: F403

ZONE_DRAINS = ["tests.core.drains.leave_a_mark"]
