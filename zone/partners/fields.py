"""Input and output fields that neither guess nor convert."""

import re
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

REFERENCE_PATTERN = r"^[A-Za-z0-9._:-]{1,64}\Z"
# No control characters and no lone surrogates: neither can be stored or shown.
TEXT_PATTERN = r"^[^\x00-\x1f\x7f\ud800-\udfff]*\Z"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
METADATA_PAIRS_MAX = 20
METADATA_NAME_LETTERS_MAX = 40
METADATA_VALUE_LETTERS_MAX = 200


class StrictSerializer(serializers.Serializer[Any]):
    """An object whose members are all known: anything else is refused by name."""

    default_error_messages = {"unknown_member": _("This member is not known.")}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            known = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := sorted(set(data) - known):
                message = str(self.error_messages["unknown_member"])
                detail = serializers.ErrorDetail(message, code="unknown_member")
                raise serializers.ValidationError({name: [detail] for name in unknown})
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A string as it was sent: not trimmed, never made from a number."""

    default_error_messages = {
        "not_text": _("This must be a string."),
        "control": _("Control characters are not allowed."),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        if not re.match(TEXT_PATTERN, data):
            self.fail("control")
        return super().to_internal_value(data)


class ReferenceField(serializers.RegexField):
    """A partner's own id: 1 to 64 characters of `[A-Za-z0-9._:-]`, case-sensitive."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            REFERENCE_PATTERN, **{"max_length": 64, "trim_whitespace": False, **options}
        )

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(serializers.RegexField):
    """One of our own public ids, such as `mbr_` and 26 letters."""

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(
            rf"^{prefix}_[0-9A-HJKMNP-TV-Z]{{26}}\Z",
            **{"max_length": 64, "trim_whitespace": False, **options},
        )

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A JSON integer: no float, no string, no boolean."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class TrueFalseField(serializers.BooleanField):
    """`true` or `false`, nothing that looks like them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class InstantField(serializers.DateTimeField):
    """RFC 3339 in UTC with `Z`; milliseconds on output."""

    default_error_messages = {"invalid": _("Write the instant as 2026-11-20T09:41:07.310Z.")}

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            self.fail("invalid", format="RFC 3339")
        try:
            return datetime.fromisoformat(value[:-1].ljust(19)[:26]).replace(tzinfo=UTC)
        except ValueError:
            self.fail("invalid", format="RFC 3339")

    def to_representation(self, value: datetime) -> str:
        return format_instant(value)


def format_instant(value: datetime) -> str:
    """`value` as every answer writes an instant."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": METADATA_PAIRS_MAX,
        "propertyNames": {"minLength": 1, "maxLength": METADATA_NAME_LETTERS_MAX},
        "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_LETTERS_MAX},
    }
)
class MetadataField(serializers.DictField):
    """Up to 20 string pairs of the partner's own; never personal data."""

    child = TextField(max_length=METADATA_VALUE_LETTERS_MAX, allow_blank=True)
    default_error_messages = {
        "too_many": _("At most 20 pairs."),
        "name": _("A name has 1 to 40 characters."),
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if isinstance(data, dict):
            if len(data) > METADATA_PAIRS_MAX:
                self.fail("too_many")
            for name in data:
                is_short = 1 <= len(name) <= METADATA_NAME_LETTERS_MAX
                if not is_short or not re.match(TEXT_PATTERN, name):
                    self.fail("name")
        return super().to_internal_value(data)
