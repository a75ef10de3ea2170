"""The product's settings, with a worker's patience with its own deafness from the environment."""

import os

from zone.settings import *  # noqa: F403

WORKER_MUTE_SECONDS = float(os.environ["TEST_MUTE_SECONDS"])
