"""Short functions that make what a test needs, and take what matters to it."""

from datetime import UTC, datetime
from itertools import count

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from zone.console.models import OperatorSession
from zone.console.services.groups import setup_groups
from zone.console.services.sessions import agent_family_of, open_session
from zone.core import clock
from zone.members.models import Binding, Member, MemberSession, Wallet
from zone.members.services import sessions
from zone.members.services.identities import enrol_member

_numbers = count(1)
LONG_AGO = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)


def make_member(*, wallet: str = "ALIPAY_CN", user_id: str = "", language: str = "en") -> Member:
    """A member known to the portal, not bound."""
    member, _ = enrol_member(
        wallet=Wallet.objects.get(code=wallet),
        user_id=user_id or f"2088{next(_numbers):012d}",
        joined_at=LONG_AGO,
        language=language,
        display_name="Test",
    )
    return member


def bind(member: Member, *, at: datetime = LONG_AGO) -> Binding:
    """An active binding of `member` since `at`."""
    return Binding.objects.create(
        member=member,
        storefront=member.storefront,
        status=Binding.Status.ACTIVE,
        agreement_reference=f"AGR-TEST-{next(_numbers):06d}",
        status_occurred_at=at,
        bound_at=at,
    )


def sign_in(client: Client, member: Member) -> MemberSession:
    """Open a session of `member` in `client`, as coming back from the wallet would."""
    opened = sessions.open_session(member=member, now=clock.now())
    client.cookies[settings.MEMBER_COOKIE_NAME] = opened.cookie
    return opened.session


def make_operator(role: str = "", *, password: str = "") -> User:
    """An operator with one role's rights, who has not enrolled a phone yet."""
    operator = User.objects.create_user(
        username=f"{role.replace(' ', '-') or 'operator'}{next(_numbers)}",
        password=password or None,
        is_staff=True,
    )
    if role:
        setup_groups()
        operator.groups.add(Group.objects.get(name=role))
    return operator


def enrol_phone(operator: User) -> TOTPDevice:
    """A confirmed second factor for `operator`."""
    return TOTPDevice.objects.create(user=operator, name="phone", confirmed=True)


def sign_in_operator(
    client: Client, operator: User, *, device: TOTPDevice | None = None
) -> OperatorSession:
    """Open a working session of `operator` in `client`, as password and code would."""
    device = device or enrol_phone(operator)
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    now = clock.now()
    row = open_session(operator, address=None, agent_family=agent_family_of(""), now=now)
    session = client.session
    session["otp_device_id"] = device.persistent_id
    session["operator_session_id"] = row.pk
    session["operator_code_at"] = now.timestamp()
    session.save()
    return row
