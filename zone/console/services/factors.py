"""An operator's second factor: a code from their phone, or one of ten recovery codes.

The code is RFC 6238's TOTP. Every check goes through django-otp's locking verification, so one
code given twice at the same moment opens one session, and wrong guesses double the waiting time.
"""

import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import UTC, datetime

import django_otp
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from zone.core import vault
from zone.core.errors import ZoneError

RECOVERY_CODE_COUNT = 10
_RECOVERY_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_RECOVERY_GROUPS, _GROUP_LETTERS = 3, 4  # 59 random bits
_TOTP_DIGITS = 6
# Ten bytes of the index fill the sixteen letters that django-otp keeps for a static code.
_STORED_BYTES = 10


class CodeRefused(ZoneError):
    code = "code_refused"
    sentence = _("That code is not right, or it was used already. Wait for the next one.")


class CodeThrottled(ZoneError):
    code = "code_throttled"
    sentence = _("Too many wrong codes. Try again in %(seconds)s seconds.")
    http_status = 429
    is_retryable = True


@dataclass(frozen=True)
class Enrolment:
    """A new factor that works from now on, and the recovery codes, told only this once."""

    device: TOTPDevice
    recovery_codes: list[str]


def find_confirmed_device(user: User) -> TOTPDevice | None:
    """The phone this operator enrolled, or None while they have none."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).order_by("-id").first()


def start_enrolment(user: User) -> TOTPDevice:
    """The operator's unconfirmed device: the same key until it is confirmed. Safe to repeat."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
        return device or TOTPDevice.objects.create(user=user, name="phone", confirmed=False)


def finish_enrolment(user: User, code: str) -> Enrolment:
    """Confirm the waiting device with a code it shows, and make recovery codes.

    From now on this device and these codes are the operator's only second factor: older ones
    are gone. Raises CodeRefused, CodeThrottled.
    """
    device = start_enrolment(user)
    _verify(user, device, code)
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
        device.refresh_from_db()
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        codes = _replace_recovery_codes(user)
    return Enrolment(device, codes)


def check_code(user: User, code: str) -> Device:
    """Accept a phone code or a recovery code, once.

    A six-digit code is tried on the phone alone, anything else on the recovery codes alone: a
    guess at one must not slow the other down. Raises CodeRefused, CodeThrottled.
    """
    code = _normalise(code)
    device: Device | None
    if code.isdigit() and len(code) == _TOTP_DIGITS:
        device, given = find_confirmed_device(user), code
    else:
        device, given = _find_recovery_device(user), _stored_form(user, code)
    if device is None:
        raise CodeRefused
    return _verify(user, device, given)


def count_recovery_codes(user: User) -> int:
    """How many recovery codes are left."""
    return StaticToken.objects.filter(device__user=user).count()


def reset_factor(user: User) -> None:
    """Forget a lost phone and its recovery codes: the next sign-in enrols a new one."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()


def secret_text(device: TOTPDevice) -> str:
    """The device's key as people type it into an authenticator (RFC 4648 base32)."""
    return b32encode(device.bin_key).decode("ascii").rstrip("=")


def _verify(user: User, device: Device, given: str) -> Device:
    if verified := django_otp.verify_token(user, device.persistent_id, given):
        return verified
    device.refresh_from_db()
    is_allowed, facts = device.verify_is_allowed()
    if not is_allowed and facts and (until := facts.get("locked_until")):
        wait = (until - datetime.now(tz=UTC)).total_seconds()
        if wait > 1:
            raise CodeThrottled(seconds=round(wait))
    raise CodeRefused


def _find_recovery_device(user: User) -> StaticDevice | None:
    return StaticDevice.objects.filter(user=user, confirmed=True).first()


def _replace_recovery_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = [_new_recovery_code() for _number in range(RECOVERY_CODE_COUNT)]
    StaticToken.objects.bulk_create(
        StaticToken(device=device, token=_stored_form(user, _normalise(code))) for code in codes
    )
    return codes


def _new_recovery_code() -> str:
    groups = (
        "".join(secrets.choice(_RECOVERY_LETTERS) for _letter in range(_GROUP_LETTERS))
        for _group in range(_RECOVERY_GROUPS)
    )
    return "-".join(groups)


def _normalise(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _stored_form(user: User, code: str) -> str:
    """A recovery code as the database keeps it: keyed, so a copy of the table opens nothing."""
    index = vault.blind_index("operator-recovery-code", f"{user.pk}:{code}")
    return b32encode(index[:_STORED_BYTES]).decode("ascii").lower()
