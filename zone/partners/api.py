"""The description, and the answer of every path that is not there."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers

from zone.core.errors import NotFound
from zone.partners.declarations import Answer, Call, operation
from zone.partners.objects import Shape
from zone.partners.problems import problem_response
from zone.partners.resources import OpenResource


class Description(Shape):
    """An OpenAPI 3.1 document."""

    openapi = serializers.CharField()


@cache
def description() -> dict[str, Any]:
    """The document, built once per process: it depends on nothing but the code."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document


@operation(
    summary="Read this description",
    tag="description",
    scope=None,
    answers={200: Description},
)
def get_description(call: Call) -> Answer:
    """The OpenAPI 3.1 description of every address below /api/v1."""
    return Answer(200, description())


class UnknownPath(OpenResource):
    """Every path that no room knows, whatever the method and whoever asks."""

    schema = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return problem_response(NotFound())


unknown_path = UnknownPath.as_view()
unknown_path.is_open_to_all = True
