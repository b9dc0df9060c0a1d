"""A ledger of 100,000 talents through a real worker: how long the preview takes, and landing, and what it needs."""

import io
import random

import xlsxwriter

SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余"
    "叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段"
    "雷黎史龙陶贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂晨曦宇涵梓若思怡博文志国建华雨雪"
    "俊楷航萱泽远诗嘉欣悦昊天佳琪子轩浩然"
)
HEADINGS = (
    "序号",
    "姓名",
    "性别",
    "出生年月",
    "身份证号",
    "手机号码",
    "电子邮箱",
    "学历学位",
    "毕业院校",
    "专业",
    "工作单位",
    "备注",
)
SCHOOLS = ("清华大学", "中南大学", "湖南大学", "南华大学", "武汉大学", "湘潭大学", "Universität Stuttgart", "東京大学")
MAJORS = (
    "应用数学",
    "光伏",
    "材料科学与工程",
    "轨道交通",
    "机械工程",
    "生物医药",
    "陶瓷工艺",
    "新能源",
    "智能制造",
    "农学",
)
DEGREES = ("博士研究生", "硕士研究生", "本科", "大专")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def a_ledger(rows: int, seed: int = 1) -> bytes:
    """Return an .xlsx ledger of talents: 12 columns as offices keep them, one row in fifty stands twice."""
    chance = random.Random(seed)  # noqa: S311 -- made-up people, the same every time
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"constant_memory": True, "strings_to_numbers": False})
    sheet = book.add_worksheet("台账")
    sheet.write_row(0, 0, HEADINGS)
    last: list[str] = []
    for number in range(1, rows + 1):
        row = last if number % 50 == 0 else _somebody(number, chance)
        sheet.write_row(number, 0, [number, *row])
        last = row
    book.close()
    return held.getvalue()


def _somebody(number: int, chance: random.Random) -> list[str]:
    name = chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))
    year, month, day = chance.randint(1955, 2003), chance.randint(1, 12), chance.randint(1, 28)
    stem = f"4301{chance.randint(1, 99):02}{year}{month:02}{day:02}{number % 1000:03}"
    sign = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(stem, WEIGHTS, strict=True)) % 11]
    phone = f"199{number:08}"
    return [
        name,
        chance.choice("男女"),
        f"{year}-{month:02}-{day:02}",
        stem + sign if number % 3 == 0 else "",
        f"{phone[:3]}-{phone[3:7]}-{phone[7:]}" if number % 7 == 0 else phone,
        f"talent{number}@example.com" if number % 4 == 0 else "",
        chance.choice(DEGREES),
        chance.choice(SCHOOLS),
        chance.choice(MAJORS),
        f"雁城单位{number % 900}",
        "享受津贴" if number % 11 == 0 else "",
    ]
