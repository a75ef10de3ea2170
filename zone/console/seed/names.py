"""Names as people in each market have them, and what they buy."""

from random import Random

_CN_FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐"
_CN_GIVEN = (
    "子涵", "雨桐", "浩然", "欣怡", "宇轩", "诗涵", "梓萱", "俊杰", "思远", "晓雯",
    "嘉怡", "志强", "丽娜", "明哲", "若曦", "博文", "佳宁", "天佑", "静怡", "一凡",
)  # fmt: skip
_HK_FAMILY = ("Chan", "Wong", "Lam", "Cheung", "Lau", "Ng", "Leung", "Ho", "Yip", "Kwok", "Tsang")
_HK_GIVEN = (
    "Ka Yan", "Tsz Hin", "Wing Yi", "Chun Hei", "Hoi Ching", "Ho Yin", "Sum Yuet", "Lok Man",
    "Ming Fai", "Yuen Ting", "Cheuk Lam", "Pui Shan",
)  # fmt: skip
_PH_FAMILY = (
    "Santos", "Reyes", "Cruz", "Bautista", "Garcia", "Mendoza", "Torres", "Flores", "Ramos",
    "Aquino", "Villanueva", "Castillo",
)  # fmt: skip
_PH_GIVEN = (
    "Andrea", "Miguel", "Jasmine", "Paolo", "Bea", "Carlo", "Trisha", "Joshua", "Angelica",
    "Marco", "Kyla", "Rafael", "Nicole", "Gabriel",
)  # fmt: skip

# Invented apps: a seeded screen must not look like somebody's advertisement.
_APPS = {
    "ALIPAY_CN": (
        "山海棋局", "星轨旅人", "每日单词", "像素厨房", "晨跑日记", "云上画室", "猫咪便利店",
        "古风剑客", "极简记账", "冥想时刻",
    ),
    "ALIPAY_HK": (
        "Harbour Chess", "Peak Runner", "Dim Sum Story", "Tram Tycoon", "Pocket Studio",
        "Star Ferry Puzzle", "Lantern Quest", "Budget Buddy", "Cantonese Daily", "Night Market",
    ),
    "GCASH": (
        "Jeepney Rush", "Island Farm", "Pixel Kusina", "Karaoke Star", "Bayani Legends",
        "Budget Buddy", "Morning Run", "Manila Words", "Reef Keeper", "Sari-Sari Story",
    ),
}  # fmt: skip
_ITEMS = {
    "ALIPAY_CN": ("60 钻石", "月卡", "新手礼包", "去广告", "高级版", "赛季通行证"),
    "ALIPAY_HK": ("60 gems", "Monthly pass", "Starter pack", "No ads", "Pro", "Season pass"),
    "GCASH": ("60 gems", "Monthly pass", "Starter pack", "No ads", "Pro", "Season pass"),
}


def person_name(wallet: str, dice: Random) -> str:
    """A name as this wallet's people have."""
    if wallet == "ALIPAY_CN":
        return dice.choice(_CN_FAMILY) + dice.choice(_CN_GIVEN)
    if wallet == "ALIPAY_HK":
        return f"{dice.choice(_HK_GIVEN)} {dice.choice(_HK_FAMILY)}"
    return f"{dice.choice(_PH_GIVEN)} {dice.choice(_PH_FAMILY)}"


def purchase_title(wallet: str, dice: Random, *, is_app: bool) -> str:
    """The name of an app, or of something inside one."""
    app = dice.choice(_APPS[wallet])
    return app if is_app else f"{app} · {dice.choice(_ITEMS[wallet])}"
