"""The signed ingest door, /ingest/v1."""

from django.urls import path

from zone.history.ingest import ingest
from zone.history.services.ingest.reading import PATHS

urlpatterns = [
    path(f"<str:wallet_code>/{name}", ingest, {"message_path": name}, name=f"ingest-{number}")
    for number, name in enumerate(PATHS, start=1)
]
