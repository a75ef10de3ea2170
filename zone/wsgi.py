"""The WSGI door."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zone.settings")
os.environ.setdefault("DATABASE_STATEMENT_SECONDS", "5")
django_application = get_wsgi_application()

import zone.urls  # noqa: E402, F401  All pages: nobody's first visit waits for them to be read.
from benefits.rush import RushDoor  # noqa: E402  Rooms can be imported once Django is set up.

application = RushDoor(django_application)
