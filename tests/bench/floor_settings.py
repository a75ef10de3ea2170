"""What Django itself costs: the product's settings without its middleware and addresses."""

from zone.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.floor"
# Only what says how long an answer is, so that connections are kept.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
WSGI_APPLICATION = None
