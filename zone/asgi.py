"""The ASGI door, for servers that want it; WSGI is the one in use."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zone.settings")
application = get_asgi_application()
