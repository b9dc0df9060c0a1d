"""How long a worker takes to write 100,000 people into a workbook, and how much memory it needs at most.

The worker is the `worker` command in a process of its own, on PostgreSQL; its memory is the highest the operating
system has seen of it. A run lasts from the moment somebody asks to the moment the sealed file and the lines for all
the people in it are committed. Then the file is opened and its rows are counted.
"""

import io
import random
import time
from collections.abc import Iterator

import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from bench.bulk import next_id, put
from bench.figure import RUNS, Figure, must_be, say
from bench.ground import Ground, peak_megabytes
from outreach.exports import operations, queries
from outreach.exports.models import Export
from outreach.exports.rules import ExportState, Format
from outreach.exports.rules.offers import offer_of
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.kernel.outbox import Work, WorkState
from outreach.kernel.sealing import blind
from outreach.organisations.models import Account
from outreach.organisations.queries import account_named
from outreach.people.models import ContactPoint, Person, PersonContact, PersonTakenOut, TakenOut
from outreach.people.rules import ContactKind, Degree, Gender, normalised_name, readings_of, sound_of

PEOPLE = 100_000
COLUMNS = (
    "name",
    "gender",
    "talent_class",
    "employer",
    "position",
    "degree",
    "school",
    "major",
    "home_town",
    "phone",
    "birth",
    "unit",
)
"""Twelve, two of them sealed."""
PATIENCE = 300
SURNAMES, GIVEN = "林沈周王李赵孙陈欧向𠮷曾", "知遥亦凡明若水小雨夏䶮一诺晓白远"
HEADING_ROWS = 4


def figures(ground: Ground) -> Iterator[Figure]:
    """Yield the seconds of the median run and the highest memory of the worker in all of them."""
    with ground.city() as city:
        people = _people(account_named("organiser"))
        db.session.execute(sa.update(Work).values(state=WorkState.DONE))  # the demo's messages are not measured
        db.session.commit()
        with city.worker() as worker:
            organiser = account_named("organiser")  # the session before the worker is gone
            taken = sorted(_seconds(organiser, people) for _ in range(RUNS))
            peak = peak_megabytes(worker.pid)
        say(f"export: {', '.join(f'{seconds:.1f} s' for seconds in taken)}")
        yield Figure("export_100k_seconds", taken[RUNS // 2], "s")
        yield Figure("export_100k_mb", peak, "MB")


def _seconds(organiser: Account, people: int) -> float:
    """Ask for the list of all people, wait until it is there, and count what is in it.

    :raises bench.figure.WrongCount: if anybody is missing, in the file or among those who may ask
    """
    table, begun = offer_of("people"), time.perf_counter()
    export = operations.ask(
        offer=table,
        kind=Format.XLSX,
        title="人才名单",
        arguments={},
        narrowed=[],
        columns=COLUMNS,
        in_full=(),
        reason="量一量要多久",
        account_id=organiser.id,
        account_name=organiser.name,
        organisation_id=organiser.organisation_id,
        organisation_name=organiser.organisation.name,
        language="zh_Hans_CN",
        by=organiser.actor,
        now=now(),
    )
    export_id = export.id
    db.session.commit()
    until = begun + PATIENCE
    while (state := queries.state_of(export_id)) is ExportState.ASKED and time.perf_counter() < until:
        db.session.rollback()
        time.sleep(0.05)
    seconds = time.perf_counter() - begun
    must_be("state", state, ExportState.READY)
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(queries.content_of(export))).get_sheet_by_index(0)
    must_be("rows and columns", (sheet.height - HEADING_ROWS, sheet.width), (people, len(COLUMNS)))
    noted = sa.select(sa.func.count(PersonTakenOut.id)).join(TakenOut, TakenOut.id == PersonTakenOut.taken_out_id)
    must_be("people told", db.session.scalar(noted.where(TakenOut.export_id == export.id)), people)
    # a day's limit is not what is measured
    db.session.execute(sa.update(Export).where(Export.id == export.id).values(rows=0))
    db.session.commit()
    return seconds


def _people(organiser: Account) -> int:
    """Fill the city up to 100,000 people of the organiser's office, each with a number; return how many there are."""
    known = db.session.scalar(sa.select(sa.func.count(Person.id)))
    moment, dice = now(), random.Random(7)  # noqa: S311 -- names, not secrets
    person, point, pair = (next_id(model.__table__) for model in (Person, ContactPoint, PersonContact))
    numbers = range(PEOPLE - known)
    put(Person.__table__, [{"id": person + n} | _person(known + n, dice, organiser, moment) for n in numbers])
    put(ContactPoint.__table__, [{"id": point + n} | _number(known + n) for n in numbers])
    put(
        PersonContact.__table__,
        [{"id": pair + n, "person_id": person + n, "contact_point_id": point + n, "since": moment} for n in numbers],
    )
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))  # as PostgreSQL does by itself within a minute
    return db.session.scalar(sa.select(sa.func.count(Person.id)))


def _person(number: int, dice: random.Random, organiser: Account, moment: object) -> dict[str, object]:
    name = dice.choice(SURNAMES) + "".join(dice.sample(GIVEN, 2))
    return {
        "organisation_id": organiser.organisation_id,
        "name": name,
        "name_key": normalised_name(name),
        "pinyin": readings_of(name),
        "sound": sound_of(name),
        "gender": dice.choice(list(Gender)),
        "birth": f"{1960 + number % 45}-{1 + number % 12:02}-{1 + number % 28:02}",
        "degree": dice.choice(list(Degree)),
        "school": f"某某大学{number % 300}",
        "major": f"材料科学与工程{number % 90}",
        "employer": f"来雁数据科技有限公司{number % 900}",
        "position": "高级工程师",
        "home_town": "湖南衡阳",
        "source": "official",
        "created_at": moment,
        "updated_at": moment,
    }


def _number(number: int) -> dict[str, object]:
    value = f"+861980{number:07d}"
    return {"kind": ContactKind.PHONE, "value": value, "index": blind(value, purpose=ContactKind.PHONE.value)}
