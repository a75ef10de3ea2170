from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "zone.members.sandbox"
    label = "sandbox"
    verbose_name = "Sandbox wallet"
    default_auto_field = "django.db.models.BigAutoField"
