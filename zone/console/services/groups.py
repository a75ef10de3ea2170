"""Write the roles of `zone.console.roles` into Django's groups."""

from fnmatch import fnmatchcase

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from zone.console.roles import ROLES, Role


def setup_groups() -> dict[str, int]:
    """Make each role's group hold exactly the rights of the table. Safe to repeat.

    Returns how many permissions each role now has. A role taken from the table loses its rights;
    its group stays, so that nobody's membership disappears silently.
    """
    permissions = list(Permission.objects.select_related("content_type"))
    counts: dict[str, int] = {}
    with transaction.atomic():
        for name, role in ROLES.items():
            group, _is_new = Group.objects.get_or_create(name=name)
            chosen = [each for each in permissions if _is_granted(role, each)]
            group.permissions.set(chosen)
            counts[name] = len(chosen)
    return counts


def _is_granted(role: Role, permission: Permission) -> bool:
    kind = permission.content_type
    codename = permission.codename
    if f"{kind.app_label}.{codename}" in role.rights:
        return True
    verb = codename.removesuffix(f"_{kind.model}")
    patterns: tuple[str, ...] = {
        "view": role.view,
        "add": role.add,
        "change": role.change,
        "delete": role.delete,
    }.get(verb, ())
    return any(fnmatchcase(f"{kind.app_label}.{kind.model}", pattern) for pattern in patterns)
