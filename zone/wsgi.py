"""The WSGI door."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zone.settings")
os.environ.setdefault("DATABASE_STATEMENT_SECONDS", "5")
application = get_wsgi_application()
