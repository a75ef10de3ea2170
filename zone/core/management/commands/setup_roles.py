"""`manage.py setup_roles`: the database's own guard around the ledger."""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand

from zone.core.roles import NoRightToMakeRoles, setup_roles


class Command(BaseCommand):
    help = "Make the owner, app and readonly roles and give each its rights. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        login = unquote(urlsplit(settings.DATABASE_URL).username or "")
        try:
            setup_roles(app_login=login)
        except NoRightToMakeRoles as refusal:
            self.stderr.write(
                self.style.WARNING(
                    f"Roles are not enforced: {refusal} "
                    "Run this command once as a role with CREATEROLE (MIGRATE_DATABASE_URL)."
                )
            )
            return
        self.stdout.write("Roles are set up: zone_owner, zone_app, zone_readonly.")
