"""What things are called on a page: names of services stay, plan codes become words."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# How Apple's services write themselves; everything else goes by its own title.
BRANDS = {"icloud_plus": "iCloud+", "apple_music": "Apple Music"}
_PLANS = {"INDIVIDUAL": _("Individual"), "FAMILY": _("Family"), "STUDENT": _("Student")}
_SIZES = {"50GB": "50 GB", "200GB": "200 GB", "2TB": "2 TB", "6TB": "6 TB", "12TB": "12 TB"}


def plan_name(plan: str) -> str:
    """FAMILY is Family in the reader's language; a plan we do not know is shown as it came."""
    return str(_PLANS.get(plan.upper(), _SIZES.get(plan.upper(), plan)))


def product_name(service: str, title: str) -> str:
    """iCloud+ 200 GB, Apple Music Family, or an app's own title."""
    brand = BRANDS.get(service, "")
    plan = plan_name(title)
    if not brand or plan.lower().startswith(brand.lower()):
        return plan or gettext("Apple purchase")
    return f"{brand} {plan}".strip()


def service_name(service: str) -> str:
    """The line under a product's name."""
    names = {
        "app_store": gettext("App Store purchase"),
        "in_app": gettext("In-app purchase"),
        "apple_music": gettext("Music subscription"),
        "icloud_plus": gettext("Cloud storage"),
    }
    return names.get(service, gettext("Apple purchase"))
