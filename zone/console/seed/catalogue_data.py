"""The seeded catalogue as data: what each market's members find in the Zone."""

from dataclasses import dataclass, field
from typing import Any

Texts = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Offer:
    """One benefit with its release. Days are counted from today; past ones are negative."""

    slug: str
    wallet: str
    kind: str
    hue: str
    texts: Texts
    detail: dict[str, Any]
    mode: str
    stock: int
    opens_day: int
    closes_day: int
    price_credits: int = 0
    per_member: int = 1
    valid_days: int | None = 30
    requires_binding: bool = True
    requires_adult: bool = False
    is_featured: bool = False
    sort_weight: int = 100
    # The share of bound members that has claimed it so far; None sells it out.
    taken_share: float | None = 0.0
    unit_cost: int = 0
    storefronts: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Drop:
    """A daily drop: so many units every day at an hour of the market."""

    offer: Offer
    hour: int
    units: int


def _coupon(currency: str, off: int, least: int) -> dict[str, Any]:
    return {"currency": currency, "amount_off": off, "minimum_spend": least}


def _trial(
    service: str, plan: str, period: str, price: int = 0, currency: str = ""
) -> dict[str, Any]:
    detail: dict[str, Any] = {"service": service, "plan": plan, "trial_period": period}
    if price:
        detail |= {"renews_price": price, "renews_currency": currency}
    return detail


CN, HK, PH = "ALIPAY_CN", "ALIPAY_HK", "GCASH"
COUPON, MUSIC, CLOUD, OFFER, PACK, VOUCHER, TICKET = (
    "app_store_coupon", "apple_music_trial", "icloud_trial", "offer_code", "credit_pack",
    "wallet_voucher", "draw_ticket",
)  # fmt: skip

# One evening's choice: whoever takes one of them has chosen.
EVENING = ("evening-film", "evening-book", "evening-arcade")
EVENING_WORDS = {
    "en": {"title": "An evening of your choice", "text": "A film, a book or a month of games."},
    "zh-hans": {"title": "任选一晚好时光", "text": "一部电影、一本书，或一个月的游戏。"},
}


def _evening(slug: str, hue: str, texts: Texts, app: str, offer: str) -> Offer:
    return Offer(
        slug, CN, OFFER, hue, texts, {"app_name": app, "offer": offer}, "codes", 150, -20, 60,
        price_credits=30, sort_weight=40,
    )  # fmt: skip


OFFERS: tuple[Offer, ...] = (
    _evening(
        "evening-film", "night",
        {"en": ("A film on Apple TV", "Rent one"), "zh-hans": ("Apple TV 电影一部", "租看一部")},
        "Apple TV", "P1M",
    ),
    _evening(
        "evening-book", "orange",
        {"en": ("A book in Apple Books", "Yours to keep"), "zh-hans": ("图书一本", "永久拥有")},
        "Apple Books", "P1M",
    ),
    _evening(
        "evening-arcade", "violet",
        {"en": ("A month of Apple Arcade", "All games"), "zh-hans": ("Apple Arcade 一个月", "畅玩")},
        "Apple Arcade", "P1M",
    ),
    # Mainland: App Store, Apple Music and iCloud+ are what the storefront offers.
    Offer(
        "app-store-10-off-68", CN, COUPON, "mint",
        {
            "en": ("¥10 off the App Store", "On ¥68 or more, once"),
            "zh-hans": ("App Store 满 68 减 10", "满 68 元可用，限用一次"),
        },
        _coupon("CNY", 1000, 6800), "codes", 600, -60, 45,
        is_featured=True, sort_weight=10, taken_share=0.35, unit_cost=1000,
    ),
    Offer(
        "app-store-20-off-98", CN, COUPON, "orange",
        {
            "en": ("¥20 off the App Store", "On ¥98 or more, for 200 credits"),
            "zh-hans": ("App Store 满 98 减 20", "200 积分兑换，满 98 元可用"),
        },
        _coupon("CNY", 2000, 9800), "codes", 400, -80, 60,
        price_credits=200, sort_weight=20, taken_share=0.18, unit_cost=2000,
    ),
    Offer(
        "apple-music-3-months", CN, MUSIC, "pink",
        {
            "en": ("Apple Music, three months free", "Then ¥11 a month"),
            "zh-hans": ("Apple Music 免费三个月", "之后每月 11 元，可随时取消"),
        },
        _trial("apple_music", "individual", "P3M", 1100, "CNY"), "provider", 900, -45, 30,
        is_featured=True, sort_weight=5, taken_share=0.2, unit_cost=0,
    ),
    Offer(
        "wallet-voucher-6-off-30", CN, VOUCHER, "mint",
        {
            "en": ("¥6 off your next payment to Apple", "A voucher in your wallet, for ¥30 or more"),
            "zh-hans": ("向 Apple 付款满 30 减 6", "存入钱包卡包，付款时自动抵扣"),
        },
        {"activity_id": "2026112100000001", **_coupon("CNY", 600, 3000)}, "provider", 300, -20, 40,
        price_credits=40, sort_weight=30, unit_cost=600,
    ),
    Offer(
        "icloud-200gb-3-months", CN, CLOUD, "blue",
        {
            "en": ("iCloud+ 200 GB, three months free", "Then ¥21 a month"),
            "zh-hans": ("iCloud+ 200GB 免费三个月", "之后每月 21 元，可随时取消"),
        },
        _trial("icloud_plus", "200GB", "P3M", 2100, "CNY"), "provider", 700, -40, 50,
        sort_weight=15, taken_share=0.15,
    ),
    Offer(
        "icloud-50gb-1-month", CN, CLOUD, "blue",
        {
            "en": ("iCloud+ 50 GB, one month free", "For 60 credits"),
            "zh-hans": ("iCloud+ 50GB 免费一个月", "60 积分兑换"),
        },
        _trial("icloud_plus", "50GB", "P1M", 600, "CNY"), "provider", 500, -10, 80,
        price_credits=60, sort_weight=40,
    ),
    Offer(
        "app-store-50-off-flash", CN, COUPON, "violet",
        {
            "en": ("¥50 off, flash", "Forty codes, gone in minutes"),
            "zh-hans": ("限时满 198 减 50", "仅 40 份，先到先得"),
        },
        _coupon("CNY", 5000, 19800), "codes", 40, -3, 12,
        price_credits=80, sort_weight=30, taken_share=None, unit_cost=5000,
    ),
    Offer(
        "app-store-30-off-weekend", CN, COUPON, "orange",
        {
            "en": ("¥30 off, this weekend", "Opens soon"),
            "zh-hans": ("周末满 128 减 30", "即将开放"),
        },
        _coupon("CNY", 3000, 12800), "codes", 200, 2, 5,
        price_credits=120, sort_weight=35, unit_cost=3000,
    ),
    Offer(
        "welcome-100-credits", CN, PACK, "night",
        {
            "en": ("100 credits to begin with", "Once, when you are bound"),
            "zh-hans": ("新人礼 100 积分", "绑定后可领一次"),
        },
        {"credits": 100}, "credits", 5000, -360, 360, sort_weight=50, taken_share=0.4,
    ),
    Offer(
        "app-store-5-off-spring", CN, COUPON, "mint",
        {
            "en": ("¥5 off, spring", "On ¥30 or more"),
            "zh-hans": ("春季满 30 减 5", "满 30 元可用"),
        },
        _coupon("CNY", 500, 3000), "codes", 300, -240, -180,
        taken_share=0.3, valid_days=14, unit_cost=500,
    ),
    # Hong Kong
    Offer(
        "hk-app-store-10-off", HK, COUPON, "mint",
        {
            "en": ("HK$10 off the App Store", "On HK$78 or more"),
            "zh-hans": ("App Store 满 HK$78 减 HK$10", "限用一次"),
        },
        _coupon("HKD", 1000, 7800), "codes", 300, -50, 40,
        is_featured=True, sort_weight=10, taken_share=0.3, unit_cost=1000,
    ),
    Offer(
        "hk-apple-music-1-month", HK, MUSIC, "pink",
        {
            "en": ("Apple Music, one month free", "Then HK$58 a month"),
            "zh-hans": ("Apple Music 免费一个月", "之后每月 HK$58"),
        },
        _trial("apple_music", "individual", "P1M", 5800, "HKD"), "provider", 400, -40, 60,
        sort_weight=5, taken_share=0.2,
    ),
    Offer(
        "hk-icloud-50gb-1-month", HK, CLOUD, "blue",
        {
            "en": ("iCloud+ 50 GB, one month free", "Then HK$8 a month"),
            "zh-hans": ("iCloud+ 50GB 免费一个月", "之后每月 HK$8"),
        },
        _trial("icloud_plus", "50GB", "P1M", 800, "HKD"), "provider", 400, -20, 70,
        sort_weight=15, taken_share=0.1,
    ),
    Offer(
        "hk-arcade-3-months", HK, OFFER, "violet",
        {
            "en": ("Apple Arcade, three months", "For 150 credits, adults only"),
            "zh-hans": ("Apple Arcade 三个月", "150 积分兑换，限成年人"),
        },
        {"app_name": "Apple Arcade", "offer": "P3M"}, "codes", 120, -30, 60,
        price_credits=150, sort_weight=25, taken_share=0.1, requires_adult=True,
    ),
    # The Philippines
    Offer(
        "ph-app-store-50-off", PH, COUPON, "mint",
        {
            "en": ("₱50 off the App Store", "On ₱299 or more"),
            "zh-hans": ("App Store 满 ₱299 减 ₱50", "限用一次"),
        },
        _coupon("PHP", 5000, 29900), "codes", 240, -50, 40,
        is_featured=True, sort_weight=10, taken_share=0.3, unit_cost=5000,
    ),
    Offer(
        "ph-icloud-50gb-2-months", PH, CLOUD, "blue",
        {
            "en": ("iCloud+ 50 GB, two months free", "Then ₱59 a month"),
            "zh-hans": ("iCloud+ 50GB 免费两个月", "之后每月 ₱59"),
        },
        _trial("icloud_plus", "50GB", "P2M", 5900, "PHP"), "provider", 300, -40, 60,
        sort_weight=5, taken_share=0.2,
    ),
    Offer(
        "ph-arcade-1-month", PH, OFFER, "violet",
        {
            "en": ("Apple Arcade, one month", "For 40 credits"),
            "zh-hans": ("Apple Arcade 一个月", "40 积分兑换"),
        },
        {"app_name": "Apple Arcade", "offer": "P1M"}, "codes", 100, -25, 55,
        price_credits=40, sort_weight=25, taken_share=0.08,
    ),
)  # fmt: skip

# A draw that runs: what can be won, and the tickets that are its entries.
PRIZE = Offer(
    "app-store-100-off-draw", CN, COUPON, "night",
    {
        "en": ("¥100 off the App Store", "Twenty of them, by fair draw"),
        "zh-hans": ("App Store 满 100 减 100", "共 20 份，公平抽签"),
    },
    _coupon("CNY", 10000, 10000), "codes", 20, 4, 40,
    requires_adult=True, sort_weight=60, unit_cost=10000,
)  # fmt: skip
TICKETS = Offer(
    "app-store-100-off-ticket", CN, TICKET, "orange",
    {
        "en": ("A ticket to ¥100 off", "20 credits each, up to three"),
        "zh-hans": ("满 100 减 100 抽签券", "20 积分一张，每人最多三张"),
    },
    {}, "draw", 500, -1, 4,
    price_credits=20, per_member=3, valid_days=None, requires_adult=True, sort_weight=12,
    taken_share=0.1,
)  # fmt: skip
DRAW_PREPARED_DAYS = 2  # before today: the draw is announced ahead of its first ticket

DROPS: tuple[Drop, ...] = (
    Drop(
        Offer(
            "daily-music-month", CN, MUSIC, "night",
            {
                "en": ("Daily drop: a month of Apple Music", "Every day at ten, 30 credits"),
                "zh-hans": ("每日十点：Apple Music 一个月", "每天 10:00 开抢，30 积分"),
            },
            _trial("apple_music", "individual", "P1M", 1100, "CNY"), "provider", 0, -14, 0,
            price_credits=30, sort_weight=1, is_featured=True,
        ),
        hour=10, units=200,
    ),
    Drop(
        Offer(
            "hk-daily-icloud", HK, CLOUD, "night",
            {
                "en": ("Daily drop: iCloud+ for a month", "Every day at noon"),
                "zh-hans": ("每日正午：iCloud+ 一个月", "每天 12:00 开放"),
            },
            _trial("icloud_plus", "50GB", "P1M", 800, "HKD"), "provider", 0, -14, 0,
            sort_weight=1,
        ),
        hour=12, units=80,
    ),
    Drop(
        Offer(
            "ph-daily-icloud", PH, CLOUD, "night",
            {
                "en": ("Daily drop: iCloud+ for a month", "Every day at eight in the evening"),
                "zh-hans": ("每晚八点：iCloud+ 一个月", "每天 20:00 开放"),
            },
            _trial("icloud_plus", "50GB", "P1M", 5900, "PHP"), "provider", 0, -14, 0,
            sort_weight=1,
        ),
        hour=20, units=60,
    ),
)  # fmt: skip
TERMS = {
    "en": (
        "One claim per member unless stated. For the Apple account bound to your wallet, in its "
        "country. Not exchangeable for money. A trial renews at the price shown unless you cancel "
        "at least a day before it ends, in your Apple account's settings."
    ),
    "zh-hans": (
        "除另有说明外，每位会员限领一次。仅限与您的钱包绑定的 Apple 账户在其所属国家或地区使用，不可兑换"
        "现金。试用期结束后将按所示价格自动续订，您可在结束前至少一天于 Apple 账户设置中取消。"
    ),
}
STEPS = {
    "en": [
        ("Claim it here", "It is yours at once."),
        ("Open it in My benefits", "Show the code when you want to use it."),
        ("Redeem it with your Apple account", "The one that your wallet pays for."),
    ],
    "zh-hans": [
        ("在此领取", "立即归你所有。"),
        ("在“我的福利”中打开", "要用时再显示兑换码。"),
        ("使用 Apple 账户兑换", "用钱包付款的那个账户。"),
    ],
}
# A voucher shows no code: the wallet takes it off by itself.
VOUCHER_STEPS = {
    "en": [
        ("Claim it here", "It goes into your wallet."),
        ("Pay Apple as usual", "The wallet takes it off by itself."),
    ],
    "zh-hans": [
        ("在此领取", "自动存入钱包卡包。"),
        ("照常向 Apple 付款", "钱包会自动抵扣。"),
    ],
}
TICKET_STEPS = {
    "en": [
        ("Take a ticket", "You are in the draw at once."),
        ("Wait for the draw", "Until entries close you can leave it again."),
        ("Have it by itself", "Whoever is drawn finds the prize in My benefits."),
    ],
    "zh-hans": [
        ("领取抽签券", "立即参加抽签。"),
        ("等待开签", "报名截止前可以退出。"),
        ("中签自动到账", "中签者可在“我的福利”中看到奖品。"),
    ],
}
# What one gets, by kind of benefit.
GETS = {
    TICKET: {
        "en": "One entry in a fair draw. Everyone can check how it was drawn.",
        "zh-hans": "一次公平抽签的名额，人人可以核验开签过程。",
    },
    VOUCHER: {
        "en": "A voucher in your wallet that is taken off when you pay Apple.",
        "zh-hans": "存入钱包的卡券，向 Apple 付款时自动抵扣。",
    },
    COUPON: {
        "en": "A code that takes the amount off one purchase in the App Store.",
        "zh-hans": "一个兑换码，在 App Store 单次购买时立减相应金额。",
    },
    MUSIC: {
        "en": "Every song and playlist, without advertising, on all your devices.",
        "zh-hans": "畅听全部歌曲和歌单，没有广告，所有设备通用。",
    },
    CLOUD: {
        "en": "More room for photos, files and backups, shared with your family if you like.",
        "zh-hans": "更多空间存放照片、文件和备份，也可与家人共享。",
    },
    OFFER: {
        "en": "A code that you enter in the App Store. Nothing renews by itself.",
        "zh-hans": "一个在 App Store 输入的兑换码，不会自动续费。",
    },
    PACK: {
        "en": "Credits in your balance, at once.",
        "zh-hans": "积分立即到账。",
    },
}
