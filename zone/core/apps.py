from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "zone.core"
    label = "core"
    verbose_name = _("Core")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("zone.celery")  # Makes ours the application that tasks belong to.
        import_module("zone.core.upgrade")  # Registers its check.
