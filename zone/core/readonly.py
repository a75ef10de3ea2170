"""Rows an operator reads and does not write."""

from django.db.models import Model
from django.http import HttpRequest


class ReadOnly:
    """For an admin or inline of rows that services write: changed by named actions, if at all."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
