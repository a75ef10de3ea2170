"""What a caller may do."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from zone.partners.errors import InsufficientScope


class HasScope(BasePermission):
    """The token must hold the scope that the operation declares.

    A method that the path does not know needs no scope: its answer is 405. A view that declares
    nothing is closed, so that forgetting is safe.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        operations = getattr(view, "operations", None)
        if operations is None:
            return False
        operation = operations.get((request.method or "").lower())
        if operation is None or operation.scope is None:
            return True
        if request.auth is None or operation.scope not in request.auth.scopes:
            # RFC 6750 section 3.1 names the scope in the challenge as well.
            challenge = f'Bearer error="insufficient_scope", scope="{operation.scope}"'
            raise InsufficientScope(
                required_scope=operation.scope, headers={"WWW-Authenticate": challenge}
            )
        return True
