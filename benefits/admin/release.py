import io
from typing import Any

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from benefits.admin.verbs import ReadOnlyInline, Verb, VerbsAdmin, actor_of
from benefits.errors import ImportRefused
from benefits.models import Claim, CodeBatch, FairDraw, Release, Segment, SlotCounter
from benefits.models.release import Fulfilment
from benefits.queries import count_left
from benefits.queries.pools import read_identity, read_pools, read_rations
from benefits.services import bulk
from benefits.services.code_making import CODES_MAX, make_code_batch
from benefits.services.draws import announce_draw
from benefits.services.endings import REVOKE_REASONS
from benefits.services.staging import Stager
from benefits.services.stock import change_stock
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.members.models import Member

PLACES = {
    "uploaded": gettext_lazy("loaded"),
    "loading": gettext_lazy("arriving"),
    "kept": gettext_lazy("kept"),
    "free": gettext_lazy("free"),
    "held": gettext_lazy("held"),
    "granted": gettext_lazy("granted"),
    "revealed": gettext_lazy("shown"),
    "redeemed": gettext_lazy("used"),
    "expired": gettext_lazy("expired"),
    "void": gettext_lazy("void"),
}


class StockForm(forms.Form):
    current = forms.IntegerField(
        min_value=0, max_value=100_000_000, label=gettext_lazy("Stock as you see it")
    )
    target = forms.IntegerField(
        min_value=0, max_value=100_000_000, label=gettext_lazy("Stock as it should be")
    )


class CodesForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file: code, redemption_url, expires_on"),
        help_text=gettext_lazy("A million rows and more: it is taken in the background."),
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Codes end on"),
        required=False,
        help_text=gettext_lazy("Instead of what the file says."),
    )
    kept_for = forms.ChoiceField(
        label=gettext_lazy("Use"), choices=CodeBatch.KeptFor.choices, required=False
    )
    life_days = forms.IntegerField(
        label=gettext_lazy("Days of use every member is promised"),
        initial=7,
        min_value=0,
        max_value=366,
    )


class StagedUpload(FileUploadHandler):
    """Seals an upload as it arrives: codes in clear are never on a disk, nor whole in memory."""

    def __init__(self, request: HttpRequest, release: Release) -> None:
        super().__init__(request)
        self.release = release
        self.stager: Stager | None = None
        self.refusal: ZoneError | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        try:
            self.stager = Stager(
                release=self.release,
                file_name=self.file_name or "",
                actor=actor_of(self.request),  # type: ignore[arg-type]
                now=database_now(),
            )
        except ZoneError as refusal:
            self.refusal = refusal

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.stager is None or self.refusal is not None:
            return
        try:
            self.stager.write(raw_data)
        except ZoneError as refusal:
            self.refusal = refusal

    def file_complete(self, file_size: int) -> UploadedFile:  # type: ignore[type-arg]
        return UploadedFile(io.BytesIO(), self.file_name, size=file_size)


def set_stock(request: HttpRequest, release: Release, values: dict[str, Any]) -> str:
    changed = change_stock(
        release=release,
        expected=values["current"],
        target=values["target"],
        actor=actor_of(request),
        now=database_now(),
    )
    return _("The stock is %(stock)s now.") % {"stock": changed.stock}


class MakeCodesForm(forms.Form):
    count = forms.IntegerField(label=gettext_lazy("How many"), min_value=1, max_value=CODES_MAX)
    expires_on = forms.DateField(label=gettext_lazy("Codes end on"), required=False)
    kept_for = forms.ChoiceField(
        label=gettext_lazy("Use"), choices=CodeBatch.KeptFor.choices, required=False
    )
    life_days = forms.IntegerField(
        label=gettext_lazy("Days of use every member is promised"),
        initial=7,
        min_value=0,
        max_value=366,
    )


def make_codes(request: HttpRequest, release: Release, values: dict[str, Any]) -> str:
    row = make_code_batch(
        release=release,
        count=values["count"],
        expires_on=values["expires_on"],
        life_days_min=values["life_days"],
        kept_for=values["kept_for"],
        actor=actor_of(request),
        now=database_now(),
    )
    return _("The codes are being made: %(number)s.") % {"number": row.public_id}


def load_codes(request: HttpRequest, release: Release, values: dict[str, Any]) -> str:
    handler: StagedUpload = request.upload_handlers[0]  # type: ignore[assignment]
    if handler.refusal is not None or handler.stager is None:
        raise handler.refusal or ImportRefused(why=_("it did not arrive."))
    row = handler.stager.finish(
        expires_on=values["expires_on"],
        life_days_min=values["life_days"],
        now=database_now(),
        kept_for=values["kept_for"],
    )
    return _("The file is being taken: %(number)s.") % {"number": row.public_id}


class GrantForm(forms.Form):
    segment = forms.ModelChoiceField(
        Segment.objects.order_by("code"), label=gettext_lazy("List of members"), required=False
    )
    file = forms.FileField(
        label=gettext_lazy("Or a CSV file: member ids in its first column"), required=False
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if bool(values.get("segment")) == bool(values.get("file")):
            raise forms.ValidationError(_("Choose a list or a file, one of them."))
        if values.get("file") and values["file"].size > bulk.FILE_BYTES_MAX:
            raise forms.ValidationError(_("The file is too long."))
        return values


class RevokeAllForm(forms.Form):
    reason = forms.ChoiceField(
        choices=[(reason, reason) for reason in REVOKE_REASONS], label=gettext_lazy("Reason")
    )
    note = forms.CharField(max_length=200, required=False, label=gettext_lazy("Note"))
    gives_credits_back = forms.BooleanField(
        required=False, label=gettext_lazy("Give the credits back")
    )


def grant_to_many(request: HttpRequest, release: Release, values: dict[str, Any]) -> str:
    upload = values["file"]
    job = bulk.start_grants(
        release=release,
        segment=values["segment"],
        members=admin.site.get_model_admin(Member).get_queryset(request),
        lines=bulk.read_lines(upload.read()) if upload else (),
        source=upload.name if upload else "",
        actor=actor_of(request),
        now=database_now(),
    )
    return _("Started: %(job)s, %(total)s rows.") % {"job": job.public_id, "total": job.total}


def revoke_all(request: HttpRequest, release: Release, values: dict[str, Any]) -> str:
    claims = admin.site.get_model_admin(Claim).get_queryset(request).filter(release=release)
    job = bulk.start_on_claims(
        verb=bulk.Verb.REVOKE,
        claims=claims.filter(state=Claim.State.GRANTED),
        source=release.public_id,
        options=values,
        actor=actor_of(request),
        now=database_now(),
    )
    return _("Started: %(job)s, %(total)s rows.") % {"job": job.public_id, "total": job.total}


class DrawForm(forms.Form):
    entries_open_at = forms.DateTimeField(label=gettext_lazy("Entries open (UTC)"))
    entries_close_at = forms.DateTimeField(
        label=gettext_lazy("Entries close (UTC)"),
        help_text=gettext_lazy("The release opens then, to its winners."),
    )
    entry_by = forms.ChoiceField(
        label=gettext_lazy("How one enters"),
        choices=FairDraw.EntryBy.choices,
        required=False,
        help_text=gettext_lazy("Tickets are a benefit of their own kind, made afterwards."),
    )
    beacon_name = forms.CharField(
        max_length=120,
        required=False,
        label=gettext_lazy("Outside value"),
        help_text=gettext_lazy(
            "A public value nobody knows before the close, such as a lottery's numbers of a day."
            " The draw waits for it."
        ),
    )


def announce(request: HttpRequest, release: Release, values: dict[str, Any]) -> str:
    values["entry_by"] = values["entry_by"] or FairDraw.EntryBy.MEMBER
    draw = announce_draw(release=release, actor=actor_of(request), now=database_now(), **values)
    return _("Announced: %(draw)s.") % {"draw": draw.public_id}


class CounterInline(ReadOnlyInline):
    model = SlotCounter
    fields = ("number", "next_slot", "end_slot", "left", "sells_until")
    readonly_fields = fields
    show_change_link = False


class BatchInline(ReadOnlyInline):
    model = CodeBatch
    fields = ("public_id", "source", "file_name", "kept_for", "expires_on", "report", "created_at")
    readonly_fields = fields


@admin.register(Release)
class ReleaseAdmin(VerbsAdmin):
    list_display = (
        "public_id", "benefit", "mode", "stock", "price_credits", "opens_at", "closes_at",
    )  # fmt: skip
    list_filter = ("mode", "livemode")
    list_select_related = ("benefit",)
    search_fields = ("public_id", "benefit__slug")
    raw_id_fields = ("benefit", "provider")
    readonly_fields = (
        "public_id", "stock", "left", "pool", "pace", "livemode", "schedule", "drop_on",
    )  # fmt: skip
    inlines = (CounterInline, BatchInline)
    verbs = (
        Verb(
            "stock",
            gettext_lazy("Raise or lower the stock"),
            "benefits.change_release",
            StockForm,
            set_stock,
        ),
        Verb(
            "codes",
            gettext_lazy("Load codes from a file"),
            "benefits.add_codebatch",
            CodesForm,
            load_codes,
        ),
        Verb(
            "make-codes",
            gettext_lazy("Make codes"),
            "benefits.add_codebatch",
            MakeCodesForm,
            make_codes,
        ),
        Verb(
            "grant", gettext_lazy("Grant to many"), "benefits.run_bulkjob", GrantForm, grant_to_many
        ),
        Verb(
            "draw",
            gettext_lazy("Give out by a fair draw"),
            "benefits.change_release",
            DrawForm,
            announce,
        ),
        Verb(
            "revoke-all",
            gettext_lazy("Take all its claims away"),
            "benefits.run_bulkjob",
            RevokeAllForm,
            revoke_all,
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Where units come from is part of what was promised; it is chosen once.
        return self.readonly_fields + (("benefit", "mode", "provider") if obj else ())

    def save_model(self, request: HttpRequest, obj: Release, form: ModelForm, change: bool) -> None:  # type: ignore[type-arg]
        if not change:
            obj.livemode = obj.benefit.livemode
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("left"))
    def left(self, release: Release) -> int:
        return count_left([release.pk], now=database_now()).get(release.pk, 0)

    @admin.display(description=gettext_lazy("codes, by where they are"))
    def pool(self, release: Release) -> str:
        """Every code once: their sum is what was loaded, at one moment."""
        places = read_identity(release) if release.mode == Fulfilment.CODES else {}
        if not places:
            return "–"
        words = [
            f"{PLACES[name]} {number_format(count, force_grouping=True)}"
            for name, count in places.items()
            if count or name == "free"
        ]
        return " · ".join(words)

    @admin.display(description=gettext_lazy("pace and forecast"))
    def pace(self, release: Release) -> str:
        found = read_pools(Release.objects.filter(pk=release.pk), now=database_now())
        if release.mode != Fulfilment.CODES or not found:
            return "–"
        pool = found[0]
        words = [
            _("%(percent)s %% left, %(pace)s a day")
            % {"percent": round(pool.percent), "pace": round(pool.per_day, 1)}
        ]
        if pool.days_left is not None and pool.dry_at is not None:
            words.append(
                _("%(days)s days left, dry on %(day)s")
                % {"days": round(pool.days_left, 1), "day": f"{pool.dry_at:%Y-%m-%d}"}
            )
        words += [
            _("%(count)s of those sold until %(day)s end unsold")
            % {"count": group.unsold, "day": f"{group.ends_at:%Y-%m-%d}"}
            for group in pool.groups
            if group.unsold and group.ends_at
        ]
        words += [
            _("Of the quarter's %(allowed)s, %(left)s are left, gone on %(day)s")
            % {
                "allowed": ration.allowed,
                "left": ration.left,
                "day": f"{ration.gone_at:%Y-%m-%d}" if ration.gone_at else "–",
            }
            for ration in read_rations(pool, now=database_now())
        ]
        return ". ".join(words)

    def _page(self, verb: Verb) -> Any:
        """The upload page seals its body as it comes, so the handler comes before CSRF."""
        page = super()._page(verb)
        if verb.form is not CodesForm:
            return page

        def upload(request: HttpRequest, object_id: str) -> HttpResponse:
            release = self.get_object(request, object_id)
            may = request.user.has_perm(verb.permission)  # type: ignore[union-attr]
            if release is None or not (may and self.may_act_on(request, release.pk)):
                return page(request, object_id)  # Which says no, before anything is read.
            handler = StagedUpload(request, release)
            request.upload_handlers = [handler]
            try:
                return csrf_protect(page)(request, object_id)
            finally:
                if handler.stager is not None:
                    handler.stager.abandon()

        return csrf_exempt(upload)
