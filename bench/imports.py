"""A ledger of 100,000 talents through a worker of its own: how long the preview takes, and what the worker needs.

Landing 5,000 rows on SQLite is stated on standard error, with how long others waited for its write lock meanwhile.
"""

import io
import random
import resource
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import xlsxwriter

from bench.figure import Figure, must_be, percentile, say
from bench.ground import Ground, peak_megabytes
from outreach.intake import operations, queries
from outreach.intake.models import Import
from outreach.intake.rules import BUSY, ImportState
from outreach.kernel.clock import now
from outreach.kernel.database import db, only_reading
from outreach.organisations.queries import account_named

ROWS = 100_000
LANDED = 5_000
RUNS = 3
PATIENCE = 3600
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


def figures(ground: Ground) -> Iterator[Figure]:
    """Yield how long 100,000 rows take from the upload to the preview, and the worker's peak memory; on PostgreSQL."""
    content = a_ledger(ROWS)
    say(f"imports: {ROWS:,} rows of {len(HEADINGS)} columns, {len(content) / 1e6:.1f} MB")
    with ground.city() as city, city.worker() as worker, memory_of(worker.pid) as together:
        took = [_previewed(content, ROWS) for _ in range(RUNS)]
        say(f"imports: {', '.join(f'{seconds:.1f} s' for seconds in sorted(took))}")
        say(f"imports: the worker alone held {peak_megabytes(worker.pid):.0f} MB at most")
        yield Figure("import_100k_seconds", statistics.median(took), "s")
        yield Figure("import_100k_mb", max(together), "MB")
    with ground.city("sqlite") as city, city.worker():
        with waits_for(city.folder) as waited:
            _land()
        say(f"on SQLite meanwhile: {told(waited)}")


@contextmanager
def memory_of(pid: int) -> Iterator[list[float]]:
    """Look ten times a second what a process and those it began hold together; yield the megabytes seen."""
    seen = [0.0]
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.1):
            begun = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            held = 0
            for one in (pid, *begun):
                with suppress(OSError):  # it may have ended since
                    held += int(Path(f"/proc/{one}/statm").read_text().split()[1])
            seen.append(held * resource.getpagesize() / 1024**2)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        stop.set()
        looking.join()


def _previewed(content: bytes, rows: int) -> float:
    """Upload a ledger, wait until every row was judged, and return the seconds that took."""
    began = time.monotonic()
    imported_id = upload(content)
    wait(imported_id, ImportState.PREVIEWED)
    took = time.monotonic() - began
    with only_reading():
        counted = queries.tally(imported_id)
    must_be("rows judged", (counted.rows, counted.waiting), (rows, 0))
    return took


def _land() -> None:
    imported_id = upload(a_ledger(LANDED, seed=2))
    wait(imported_id, ImportState.PREVIEWED)
    began = time.monotonic()
    imported = db.session.get_one(Import, imported_id)
    operations.land(imported=imported, by=imported.author, now=now())
    db.session.commit()
    wait(imported_id, ImportState.LANDED)
    say(f"landing: {LANDED:,} rows in {time.monotonic() - began:.1f} s on {db.engine.dialect.name}")
    with only_reading():
        counted = queries.tally(imported_id)
    # whoever may be somebody of the demo waits for a clerk's word
    must_be("rows landed, or left to a clerk", counted.landed + counted.undecided, LANDED)


def upload(content: bytes) -> int:
    """Bring a ledger to the intake's door, as the organiser does; return the import's id."""
    clerk = account_named("organiser")
    imported = operations.upload(
        kind="talents",
        filename="ledger.xlsx",
        content=content,
        account_id=clerk.id,
        account_name=clerk.name,
        organisation_id=clerk.organisation_id,
        by=clerk.actor,
        now=now(),
    )
    db.session.commit()
    return imported.id


def wait(imported_id: int, state: ImportState) -> None:
    """Wait until an import has come to a state.

    :raises SystemExit: if it comes to another end, or to none in time
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(0.1)
        with only_reading():
            stands = db.session.get_one(Import, imported_id).state
        if stands is state:
            return
        if stands not in BUSY:
            raise SystemExit(f"the import is {stands}, not {state}")
    raise SystemExit(f"the import was not {state.value} after {PATIENCE} s")


@contextmanager
def waits_for(folder: Path) -> Iterator[list[float]]:
    """Ask for SQLite's write lock again and again, as the door does, and yield the seconds each asking waited."""
    waited: list[float] = []
    stop = threading.Event()

    def ask() -> None:
        connection = sqlite3.connect(folder / "outreach.db", isolation_level=None, timeout=15)
        while not stop.wait(0.02):
            began = time.monotonic()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            waited.append(time.monotonic() - began)
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield waited
    finally:
        stop.set()
        asking.join()


def told(waited: list[float]) -> str:
    """Return how long others waited, in words."""
    median, most = statistics.median(waited) * 1000, max(waited) * 1000
    return (
        f"others waited {median:.1f} ms (median), {percentile(waited, 0.95) * 1000:.0f} ms (95 %), {most:.0f} ms (most)"
    )


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
