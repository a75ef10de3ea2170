"""What Django itself costs: the product's settings without its middleware and addresses."""

from zone.settings import *  # noqa: F403
from zone.settings import DATABASES

ROOT_URLCONF = "tests.bench.floor"
# Only what says how long an answer is, so that connections are kept.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
WSGI_APPLICATION = None
# Django's own way to a connection, from its pool.
DATABASES = {"default": {**DATABASES["default"], "ENGINE": "django.db.backends.postgresql"}}
