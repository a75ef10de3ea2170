"""Shapes that every room's answers share."""

from typing import Any

from rest_framework import serializers

from zone.partners.catalogue import PROBLEMS


class Shape(serializers.Serializer[Any]):
    """An output shape: what it names is shown, and nothing else."""


class ProblemError(Shape):
    """One member or parameter that is not valid."""

    pointer = serializers.CharField(
        required=False, help_text="RFC 6901 pointer into the request body."
    )
    parameter = serializers.CharField(required=False, help_text="Name of the query parameter.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(Shape):
    """RFC 9457. `code` is the promise; business refusals may add members of their own."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField(min_value=400, max_value=599)
    code = serializers.ChoiceField(choices=sorted(PROBLEMS))
    detail = serializers.CharField()
    request_id = serializers.CharField()
    retryable = serializers.BooleanField()
    errors = ProblemError(many=True, required=False)  # type: ignore[assignment]


def constant(value: str) -> Any:
    """A member that always holds `value`: the kind of an object."""
    return serializers.ChoiceField(choices=[value])


def list_of(shape: type[Shape]) -> type[Shape]:
    """The envelope of a list whose rows are `shape`."""
    members = {
        "object": constant("list"),
        "data": shape(many=True),
        "has_more": serializers.BooleanField(),
        "next_cursor": serializers.CharField(allow_null=True),
        "__doc__": "One page. `next_cursor` leads to the next, with the same filters.",
    }
    name = shape.__name__.removesuffix("Object")
    return type(f"{name}List", (Shape,), members)
