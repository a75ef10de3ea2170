"""Operator roles as data: which tables each role reads, and what it may change there.

Django's permissions are the rights; this table says who has which. `setup_groups` writes it to the
database after each migration, so a role is changed here, reviewed, and never by hand.
"""

from dataclasses import dataclass, field

# Tables everybody in the console may read: no secrets and no money in them.
CATALOGUE = ("benefits.*",)
PEOPLE = ("members.*",)
MONEY = ("history.*", "credits.*")
MESSAGES = ("notices.*",)
PARTNERS = ("partners.*",)
BOOKS = ("console.bookscheck", "core.stuckrow")
AUDIT = ("console.auditevent", "console.operatorsession")
OPERATORS = (
    "auth.user",
    "auth.group",
    "console.operatorscope",
    "console.operatorsession",
    "otp_totp.totpdevice",
)
# Rights of their own, checked by name: see `Meta.permissions` of the models that hold them.
UNMASK = "console.unmask_member"
CHECK_BOOKS = "console.run_bookscheck"
APPROVE_BENEFIT = "benefits.approve_benefit"
APPROVE_ADJUSTMENT = "credits.approve_adjustrequest"
REVOKE_CLAIM = "benefits.revoke_claim"
CALL_OFF_GROUP = "benefits.call_off_groupgift"
RUN_BULK = "benefits.run_bulkjob"
SEND_ANNOUNCEMENT = "notices.send_announcement"
ANNOUNCEMENTS = ("notices.announcement",)


@dataclass(frozen=True)
class Role:
    """Patterns are `app.model`, or `app.*` for every table of a room."""

    title: str
    view: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    rights: tuple[str, ...] = field(default=())


ROLES = {
    "viewer": Role("Reads the catalogue and the books' state", view=CATALOGUE + BOOKS),
    "support": Role(
        "Helps one member at a time",
        view=CATALOGUE + PEOPLE + MONEY + MESSAGES,
        add=("credits.freeze",),
        change=("members.member", "members.binding", "benefits.claim", "credits.freeze"),
        rights=(UNMASK, REVOKE_CLAIM, CALL_OFF_GROUP),
    ),
    "editor": Role(
        "Writes benefits and releases",
        view=CATALOGUE + BOOKS + ANNOUNCEMENTS,
        add=CATALOGUE + ANNOUNCEMENTS,
        change=CATALOGUE + ANNOUNCEMENTS,
    ),
    "approver": Role(
        "Opens, pauses and ends what editors wrote",
        view=CATALOGUE + BOOKS + ANNOUNCEMENTS,
        change=("benefits.benefit", "benefits.release"),
        rights=(APPROVE_BENEFIT, RUN_BULK, SEND_ANNOUNCEMENT),
    ),
    "finance": Role(
        "Reads money and credits, keeps the rules by which credits are earned",
        view=CATALOGUE + MONEY + BOOKS,
        add=("credits.*", "history.*"),
        change=("credits.*", "history.*"),
        rights=(CHECK_BOOKS, APPROVE_ADJUSTMENT),
    ),
    "auditor": Role(
        "Reads everything, changes nothing",
        view=CATALOGUE + PEOPLE + MONEY + MESSAGES + PARTNERS + BOOKS + AUDIT + OPERATORS,
        rights=(CHECK_BOOKS,),
    ),
    "partner manager": Role(
        "Keeps partners, their keys and their endpoints",
        view=CATALOGUE + PARTNERS,
        add=PARTNERS,
        change=PARTNERS,
    ),
    "platform": Role(
        "Keeps operators, roles, wallets and the machinery",
        view=CATALOGUE + PEOPLE + PARTNERS + BOOKS + AUDIT + OPERATORS,
        add=("auth.user", "console.operatorscope", "members.wallet"),
        change=("auth.user", "console.operatorscope", "members.wallet", "core.stuckrow"),
        delete=("console.operatorscope",),
        rights=(CHECK_BOOKS,),
    ),
}
