"""Features and steps of a benefit as an editor writes them: one a line, what is said after a bar."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LINES_MAX, TITLE_LETTERS_MAX, TEXT_LETTERS_MAX = 8, 80, 200
BAR = "|"


class PointsField(forms.CharField):
    """`Open it | Show the code` a line, kept as `[{"title": "Open it", "text": "Show the code"}]`."""

    widget = forms.Textarea(attrs={"rows": 4})

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", gettext_lazy("One a line: title | sentence."))
        super().__init__(required=False, **options)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        rows = [row if isinstance(row, dict) else {"title": row} for row in value]
        lines = [[str(row.get(part) or "") for part in ("title", "text")] for row in rows]
        return "\n".join(f" {BAR} ".join(filter(None, line)) for line in lines)

    def clean(self, value: Any) -> list[dict[str, str]]:
        """Raises ValidationError naming the line that is too long, or that there are too many."""
        points = []
        for line in filter(str.strip, super().clean(value).splitlines()):
            title, _bar, text = (part.strip() for part in line.partition(BAR))
            if not title or len(title) > TITLE_LETTERS_MAX or len(text) > TEXT_LETTERS_MAX:
                raise ValidationError(
                    _("“%(line)s”: a title of %(title)s letters at most, then %(text)s.")
                    % {"line": line[:60], "title": TITLE_LETTERS_MAX, "text": TEXT_LETTERS_MAX}
                )
            points.append({"title": title, "text": text})
        if len(points) > LINES_MAX:
            raise ValidationError(_("Eight lines at most."))
        return points

    def has_changed(self, initial: Any, data: Any) -> bool:
        was = self.prepare_value(initial) or ""
        return super().has_changed(was, "\n".join((data or "").splitlines()))
