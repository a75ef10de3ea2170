from datetime import date, datetime, time
from typing import Any
from zoneinfo import available_timezones

from dateutil import rrule
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

_DAILY_OR_RARER = (rrule.YEARLY, rrule.MONTHLY, rrule.WEEKLY, rrule.DAILY)


def read_rule(text: str, *, starts_on: date) -> Any:
    """The days of a recurrence rule, as RFC 5545 section 3.3.10 writes them.

    Days only: the hours stand beside it. Raises ValidationError.
    """
    start = datetime.combine(starts_on, time())
    try:
        rule = rrule.rrulestr(text, dtstart=start)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise ValidationError({"rule": _("This rule cannot be read.")}) from fault
    if not isinstance(rule, rrule.rrule) or rule._freq not in _DAILY_OR_RARER:
        raise ValidationError({"rule": _("One rule of days is expected, at most one a day.")})
    if any(part and list(part) != [0] for part in (rule._byhour, rule._byminute, rule._bysecond)):
        raise ValidationError({"rule": _("One rule of days is expected, at most one a day.")})
    return rule


class OpeningHours(models.Model):
    """When a benefit may be claimed, again and again: days by one of three ways, and hours.

    Without such a row a benefit is open all through its window; with some, while one of them is.
    """

    benefit = models.ForeignKey("benefits.Benefit", on_delete=models.CASCADE, related_name="hours")
    # Monday is 1 and Sunday 7, as ISO 8601 counts them.
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(7)]),
        verbose_name=_("weekdays, Monday is 1"),
        default=list,
        blank=True,
    )
    dates = ArrayField(
        models.DateField(), verbose_name=_("single days"), default=list, blank=True, size=400
    )
    rule = models.CharField(
        _("recurrence rule (RFC 5545)"),
        max_length=200,
        blank=True,
        help_text=_("Such as FREQ=MONTHLY;BYDAY=1FR for the first Friday of each month."),
    )
    starts_on = models.DateField(_("from this day on"))
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    opens_at_local = models.TimeField(_("opens at, local time"))
    closes_at_local = models.TimeField(
        _("closes at, local time"), help_text=_("Not later than it opens: on the next day.")
    )
    time_zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    is_active = models.BooleanField(_("in force"), default=True)
    planned_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weekdays=[], dates=[]) & ~models.Q(rule="")
                | models.Q(weekdays=[], rule="") & ~models.Q(dates=[])
                | models.Q(dates=[], rule="") & ~models.Q(weekdays=[]),
                name="benefits_openinghours_one_way",
            ),
        ]
        indexes = [
            # Every claim asks whether its benefit keeps hours.
            models.Index(
                fields=["benefit"],
                name="benefits_openinghours_of",
                condition=models.Q(is_active=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opens_at_local:%H:%M}–{self.closes_at_local:%H:%M} {self.time_zone}"

    def clean(self) -> None:
        """Raises ValidationError naming what no calendar can follow."""
        if self.time_zone not in available_timezones():
            raise ValidationError({"time_zone": _("There is no such time zone.")})
        if (bool(self.weekdays) + bool(self.dates) + bool(self.rule)) != 1:
            raise ValidationError(_("Give weekdays, single days or a rule: exactly one of them."))
        if self.rule:
            read_rule(self.rule, starts_on=self.starts_on or date(2000, 1, 1))


class OpeningSpan(models.Model):
    """One opening as two instants: open at the first, closed at the second.

    Worked out ahead from the hours, so that the claim itself compares instants and nothing else.
    """

    hours = models.ForeignKey(OpeningHours, on_delete=models.CASCADE, related_name="spans")
    benefit = models.ForeignKey("benefits.Benefit", on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        verbose_name = _("opening")
        verbose_name_plural = _("openings")
        constraints = [
            models.UniqueConstraint(
                fields=["hours", "starts_at"], name="benefits_openingspan_once"
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="benefits_openingspan_length",
            ),
        ]
        indexes = [
            # Is it open now, and when is it open next.
            models.Index(fields=["benefit", "ends_at"], name="benefits_openingspan_next"),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"
