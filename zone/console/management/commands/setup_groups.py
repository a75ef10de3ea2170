"""`manage.py setup_groups`: bring the operators' roles up to date. Run after every migration."""

from typing import Any

from django.core.management.base import BaseCommand

from zone.console.services.groups import setup_groups


class Command(BaseCommand):
    help = "Bring the operators' roles up to date with the table of roles."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, count in setup_groups().items():
            self.stdout.write(f"{name}: {count} permissions")
