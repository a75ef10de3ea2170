from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BenefitsConfig(AppConfig):
    name = "benefits"
    label = "benefits"
    verbose_name = _("Benefits")
    default_auto_field = "django.db.models.BigAutoField"
