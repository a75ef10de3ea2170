"""What Apple's services cost in each market, in minor units.

From Apple's own pages: iCloud+ plans and pricing (https://support.apple.com/108047), Apple Music
(https://www.apple.com.cn/apple-music/). Only what a storefront offers is listed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """One plan of a subscription. `price_before` was asked until the market's rise."""

    service: str
    name: str
    price: int
    price_before: int = 0
    trial_months: int = 0


ICLOUD = "ICLOUD_PLUS"
MUSIC = "APPLE_MUSIC"

PLANS: dict[str, tuple[Plan, ...]] = {
    "ALIPAY_CN": (
        Plan(ICLOUD, "iCloud+ 50GB", 600),
        Plan(ICLOUD, "iCloud+ 200GB", 2100),
        Plan(ICLOUD, "iCloud+ 2TB", 6800),
        Plan(MUSIC, "Apple Music 个人", 1100, price_before=1000, trial_months=1),
        Plan(MUSIC, "Apple Music 学生", 600, price_before=500, trial_months=1),
        Plan(MUSIC, "Apple Music 家庭", 1700, price_before=1500, trial_months=1),
    ),
    "ALIPAY_HK": (
        Plan(ICLOUD, "iCloud+ 50GB", 800),
        Plan(ICLOUD, "iCloud+ 200GB", 2300),
        Plan(ICLOUD, "iCloud+ 2TB", 7800),
        Plan(MUSIC, "Apple Music Individual", 5800, trial_months=1),
        Plan(MUSIC, "Apple Music Student", 2800, trial_months=1),
        Plan(MUSIC, "Apple Music Family", 8800, trial_months=1),
    ),
    "GCASH": (
        Plan(ICLOUD, "iCloud+ 50GB", 5900, price_before=4900),
        Plan(ICLOUD, "iCloud+ 200GB", 19900, price_before=14900),
        Plan(ICLOUD, "iCloud+ 2TB", 69900),
    ),
}
# How often each plan is chosen, in the order above.
WEIGHTS = {
    "ALIPAY_CN": {ICLOUD: (6, 3, 1), MUSIC: (6, 2, 2)},
    "ALIPAY_HK": {ICLOUD: (6, 3, 1), MUSIC: (6, 2, 2)},
    "GCASH": {ICLOUD: (7, 2, 1)},
}
APP_PRICES = {
    "ALIPAY_CN": (600, 1200, 1800, 3000, 6800, 9800, 12800, 32800),
    "ALIPAY_HK": (800, 1500, 2300, 3800, 7800, 11800, 15800),
    "GCASH": (4900, 9900, 14900, 24900, 49900, 99900),
}
MERCHANT = {
    "ALIPAY_CN": ("APPLE_CN", "APPLE.COM/BILL", "ALIPAYCN"),
    "ALIPAY_HK": ("APPLE_HK", "APPLE.COM/BILL", "ALIPAYHK"),
    "GCASH": ("APPLE_PH", "APPLE.COM/BILL", "GCASH"),
}
CURRENCY = {"ALIPAY_CN": "CNY", "ALIPAY_HK": "HKD", "GCASH": "PHP"}
STOREFRONT = {"ALIPAY_CN": "CHN", "ALIPAY_HK": "HKG", "GCASH": "PHL"}


def plans_of(wallet: str, service: str) -> list[Plan]:
    """The plans of one service that this wallet's storefront sells."""
    return [plan for plan in PLANS[wallet] if plan.service == service]
