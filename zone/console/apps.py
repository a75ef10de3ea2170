from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class ConsoleConfig(AppConfig):
    name = "zone.console"
    label = "console"
    verbose_name = _("Console")
    default_auto_field = "django.db.models.BigAutoField"


class ConsoleAdminConfig(SimpleAdminConfig):
    """Django's admin with our site as the default, so each room registers as usual.

    The rooms' admins are read with the addresses (`zone.urls`) and not before: a worker, beat and
    most commands never need them, and start in two thirds of the time.
    """

    default = False
    default_site = "zone.console.site.ConsoleSite"

    def ready(self) -> None:
        super().ready()
        checks.register(check_console, checks.Tags.admin)


def check_console(**how: Any) -> list[checks.CheckMessage]:
    """What Django finds wrong with the rooms' admins, which it would look for too early."""
    from django.contrib import admin
    from django.contrib.admin.checks import check_admin_app

    admin.autodiscover()
    found: list[checks.CheckMessage] = check_admin_app(**how)
    return found
