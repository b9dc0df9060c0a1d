"""A city's people, events and requests in any number, put into the database in bulk.

Names, employers, titles and states are spread as in a city: some surnames are a thousand times as frequent as others,
most events are over, and of the requests one in twenty is open. Contacts and words are sealed, and what people and
events are found by is made by the application's own code.

A process of its own can do it, so that two databases are filled at once: it reads one JSON document (the folder of an
installation, its database, how many, the first) and says nothing.
"""

import gc
import json
import random
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate, chain
from typing import Any

import sqlalchemy as sa

from bench.bulk import next_id, put, put_kept, put_plain, row_writer
from outreach.app import create_app
from outreach.cases.models import Case
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.moves import OWED_BY_THE_LEAD_UNIT, CaseState, Rank
from outreach.config import Settings
from outreach.events.models import EVENTS_BY_WORDS, Event, PlaceGroup
from outreach.events.rules import EventKind, EventState
from outreach.kernel.clock import now as current_moment
from outreach.kernel.database import db
from outreach.kernel.sealing import blind
from outreach.kernel.word_index import WordIndex
from outreach.kernel.words import shared_beginnings, written
from outreach.liaison.models import Visit, VisitLeader, VisitTalent
from outreach.liaison.rules import VisitWay
from outreach.organisations.models import Account, Organisation
from outreach.people.models import (
    PEOPLE_BY_WORDS,
    ContactPoint,
    Person,
    PersonContact,
    PersonField,
    ProfessionalField,
    TalentClass,
)
from outreach.people.queries import tail_index
from outreach.people.rules import ContactKind, Degree
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState

SEED = 20261121
PEOPLE_AN_EVENT = 5
"""An office that holds 100,000 people has held 20,000 events: four a day for twenty years, a hundred places each."""
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭"
    "陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤单仇区查"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国志文斌海波宁晓燕宇浩然子轩梓涵欣怡雨佳琪思远嘉诚天佑俊雪梅振东"
    "立新春生金龙凤仙启航知遥清越若水景行承泽云帆书瑶一诺𠮷䶮"
)
HOMES = ("雁城市石鼓区", "雁城市清江县", "雁城市", "湖南长沙", "湖北武汉", None, None)
ELSEWHERE = ("广东深圳", "上海市", "湖南长沙", "新加坡")
PLACES = ("衡阳市", "雁城", "湖南省", "南岳", "石鼓区", "蒸湘", "耒阳市", "常宁", "衡南县", "珠晖")
FIRMS = (
    "第一人民医院",
    "新材料科技有限公司",
    "智能制造研究院",
    "职业技术学院",
    "高级中学",
    "生物医药股份有限公司",
    "农业科学研究所",
    "电力设计院",
    "BYD 汽车零部件厂",
    "软件园",
)
SCHOOLS = ("南华大学", "湖南大学", "中南大学", "衡阳师范学院", "清华大学", "北京大学", "湖南工学院", "浙江大学")
SHOWS = ("人才会客厅", "百名博士进园区", "名校合作行", "春风送岗招聘会", "云聘会", "青年沙龙", "产才对接会", "创业大赛")
ASKS = ("孩子明年上小学", "想落户又没有房", "设备进口的手续", "爱人找工作", "项目申报的截止日期", "医保怎么转过来")
EVENT_STATES = (EventState.PUBLISHED, EventState.DRAFT, EventState.SUBMITTED, EventState.CANCELLED)
EVENT_SHARES = (800, 100, 40, 1, 59)
SIX_YEARS = 3_000_000
"""Minutes within which what a city holds came in."""
WEEK = timedelta(days=7)
RANK_SHARES = (2, 8, 90)
OPEN_STATES = (CaseState.REGISTERED, CaseState.ASSIGNED, CaseState.ACCEPTED, CaseState.REPLIED, CaseState.CONTESTED)


def populate(*, how_many: int, now: datetime, first: int = 0, minutes: int = SIX_YEARS) -> None:
    """Add so many people, as many requests, and an event for every `PEOPLE_AN_EVENT` of them to the demo's city.

    Spread over its units; committed. `first` is how many people were added before; the requests came in within so many
    minutes before now.
    """
    chance = random.Random(SEED + first)  # noqa: S311 -- dice for a measurement, not a secret
    units = db.session.scalars(sa.select(Organisation.id).order_by(Organisation.id)).all()
    numbers = range(first, first + how_many)
    gc.disable()  # millions of rows are made and nothing is let go: looking for what is would take a third of the time
    try:
        people = _people(numbers, units, chance, now)
        _requests(numbers, units, people, chance, now, minutes)
        _events(range(first // PEOPLE_AN_EVENT, numbers.stop // PEOPLE_AN_EVENT), units, chance, now)
        db.session.commit()
    finally:
        gc.enable()
    _look_after()


def _look_after() -> None:
    """Have PostgreSQL do what its autovacuum has done in a city that grew to this."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _people(numbers: range, units: Sequence[int], chance: random.Random, now: datetime) -> range:
    classes = db.session.scalars(sa.select(TalentClass.id).order_by(TalentClass.position)).all()
    fields = db.session.scalars(sa.select(ProfessionalField.id).order_by(ProfessionalField.position)).all()
    shares = list(accumulate(1 / (rank + 3) for rank in range(len(SURNAMES))))
    of_unit = list(accumulate(1 / (rank + 1) for rank in range(len(units))))
    first = next_id(Person.__table__)
    made = []
    for person_id in range(first, first + len(numbers)):
        given = "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))
        person = Person(
            id=person_id,
            name=chance.choices(SURNAMES, cum_weights=shares)[0] + given,
            organisation_id=chance.choices(units, cum_weights=of_unit)[0],
            employer=chance.choice(PLACES) + chance.choice(FIRMS),
            school=chance.choice(SCHOOLS),
            degree=chance.choice([*Degree, None]),
            talent_class_id=chance.choice([*classes, None, None]),
            home_town=chance.choice(HOMES),
            residence=chance.choice(ELSEWHERE) if chance.random() < 0.08 else None,
            created_at=now,
            updated_at=now,
        )
        if chance.random() < 0.5:
            person.fields = [PersonField(field_id=chance.choice(fields))]
        person.words = written(PEOPLE_BY_WORDS.words_of(person))
        made.append(person)
    _put(Person, made)
    _put_words(PEOPLE_BY_WORDS, made)
    works_in = [(person.id, field.field_id) for person in made for field in person.fields]
    row = next_id(PersonField.__table__)
    put(
        PersonField.__table__,
        [{"id": row + at, "person_id": one, "field_id": field} for at, (one, field) in enumerate(works_in)],
    )
    point = next_id(ContactPoint.__table__)
    phones = [f"+86198{number:08d}" for number in numbers]
    put(
        ContactPoint.__table__,
        [
            {
                "id": point + at,
                "kind": ContactKind.PHONE,
                "value": phone,
                "index": blind(phone, purpose=ContactKind.PHONE.value),
                "tail": tail_index(phone, ContactKind.PHONE),
            }
            for at, phone in enumerate(phones)
        ],
    )
    reached = next_id(PersonContact.__table__)
    put(
        PersonContact.__table__,
        [
            {"id": reached + at, "person_id": first + at, "contact_point_id": point + at, "since": now}
            for at in range(len(numbers))
        ],
    )
    return range(first, first + len(numbers))


def _events(numbers: range, units: Sequence[int], chance: random.Random, now: datetime) -> None:
    author = db.session.scalar(sa.select(Account.id).where(Account.username == "organiser"))
    first = next_id(Event.__table__)
    made = []
    for at, number in enumerate(numbers):
        starts_at = now + timedelta(minutes=chance.randrange(-5_000_000, 150_000))
        over = starts_at + timedelta(hours=3) < now
        held = EventState.FINISHED if over else EventState.PUBLISHED
        state = chance.choices([held, *EVENT_STATES], EVENT_SHARES)[0]
        event = Event(
            id=first + at,
            organisation_id=chance.choice(units),
            kind=chance.choice(list(EventKind)),
            state=state,
            title=f"{chance.choice(PLACES)}{chance.choice(SHOWS)}",
            subtitle=f"第 {number} 期",
            about="一次面对面的交流，欢迎带着问题来。" * 12,
            host=chance.choice(PLACES) + "人才办",
            place=f"江畔路 {number % 400} 号",
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=3),
            author_id=author,
            created_at=now,
            published_at=None if state in {EventState.DRAFT, EventState.SUBMITTED} else now,
            uid=f"bench-{number}",
            version=1,
        )
        event.words = written(EVENTS_BY_WORDS.words_of(event))
        made.append(event)
    _put(Event, made)
    _put_words(EVENTS_BY_WORDS, made)
    group = next_id(PlaceGroup.__table__)
    put(
        PlaceGroup.__table__,
        [
            {"id": group + at, "event_id": first + at, "position": 0, "name": "名额", "capacity": 60}
            for at in range(len(numbers))
        ],
    )


def _requests(
    numbers: range, units: Sequence[int], people: range, chance: random.Random, now: datetime, minutes: int
) -> None:
    intake = units[0]
    first = next_id(Case.__table__)
    rows = []
    for at, number in enumerate(numbers):
        is_open = chance.random() < 0.05
        created_at = now - timedelta(minutes=chance.randrange(30_000 if is_open else minutes))
        lead = chance.choice(units)
        state = chance.choice(OPEN_STATES) if is_open else CaseState.CLOSED
        given = state is not CaseState.REGISTERED
        accepted = given and state is not CaseState.ASSIGNED
        rows.append(
            {
                "id": first + at,
                "number": f"{2000 + number // 10_000}-{number % 10_000:04d}",
                "person_id": people[at % len(people)],
                "intake_id": intake,
                "lead_id": lead if given else None,
                "topic": chance.choice(list(Topic)),
                "source": chance.choice(list(CaseSource)),
                "title": chance.choice(ASKS),
                "words": chance.choice(ASKS) + "，请问该找哪个部门？",
                "state": state,
                "rank": chance.choices(list(Rank), RANK_SHARES)[0],
                "answerable_id": (lead if state in OWED_BY_THE_LEAD_UNIT else intake) if is_open else None,
                "due_at": created_at + WEEK if is_open else None,
                "due_since": created_at if is_open else None,
                "due_days": 5 if is_open else None,
                "created_at": created_at,
                "assigned_at": created_at if given else None,
                "accepted_at": created_at + timedelta(hours=chance.randrange(1, 60)) if accepted else None,
                "answer_due_at": created_at + WEEK if given else None,
                "answer_since": created_at if given else None,
                "answer_days": 5 if given else None,
                "ended_at": None if is_open else created_at + timedelta(days=chance.randrange(1, 9)),
                "version": 1,
            }
        )
    put(Case.__table__, rows)


def _put(model: type, records: Sequence[Any]) -> None:
    """Write records that no session knows; what was left out stands as the model says."""
    names = [column.name for column in model.__table__.columns if column.name in records[0].__dict__]
    put_plain(model.__table__, names, ([getattr(record, name) for name in names] for record in records))


def _put_words(index: WordIndex, records: Sequence[Any]) -> None:
    """Write the rows the records are found by in the order of their table, so from its one end to the other."""
    as_kept = row_writer(index.table, tuple(index.columns))
    repeated = [(as_kept([getattr(record, name) for name in index.columns.values()]), record) for record in records]
    repeated.sort(key=lambda pair: pair[0])
    of_word: dict[str, list[tuple[Any, ...]]] = {}
    for values, record in repeated:
        for word, shared in shared_beginnings(record.words.split()).items():
            of_word.setdefault(word, []).append((word, *values, shared))
    put_kept(
        index.table, ("word", *index.columns, "shared"), chain.from_iterable(of_word[word] for word in sorted(of_word))
    )


def long_timeline(*, now: datetime) -> int:
    """Give one person of a populated city 10,000 lines of timeline and return their id; committed.

    4,000 registrations, 3,000 visits, and 1,500 requests that were asked and have ended.
    """
    person_id = db.session.scalar(sa.select(sa.func.max(Person.id)))
    leader = db.session.scalars(sa.select(Account).where(Account.username == "leader")).one()
    groups = db.session.execute(
        sa.select(PlaceGroup.event_id, PlaceGroup.id).order_by(PlaceGroup.id.desc()).limit(4000)
    ).all()
    at = [now - timedelta(hours=number) for number in range(4000)]
    registration = next_id(Registration.__table__)
    put(
        Registration.__table__,
        [
            {
                "id": registration + number,
                "event_id": event_id,
                "group_id": group_id,
                "person_id": person_id,
                "state": RegistrationState.CANCELLED,
                "short_code": "AAAAAA",
                "created_at": moment,
                "queued_at": moment,
                "ended_at": moment,
                "version": 1,
            }
            for number, ((event_id, group_id), moment) in enumerate(zip(groups, at, strict=True))
        ],
    )
    visit, there, met = (next_id(model.__table__) for model in (Visit, VisitLeader, VisitTalent))
    put(
        Visit.__table__,
        [
            {
                "id": visit + number,
                "organisation_id": leader.organisation_id,
                "account_id": leader.id,
                "form_token": f"bench-{number}",
                "at": moment,
                "way": VisitWay.VISIT,
                "logged_at": moment,
            }
            for number, moment in enumerate(at[:3000])
        ],
    )
    put(
        VisitLeader.__table__,
        [{"id": there + number, "visit_id": visit + number, "account_id": leader.id} for number in range(3000)],
    )
    put(
        VisitTalent.__table__,
        [{"id": met + number, "visit_id": visit + number, "person_id": person_id} for number in range(3000)],
    )
    ended = sa.select(Case.id).where(Case.ended_at.is_not(None)).order_by(Case.id).limit(1500)
    db.session.execute(sa.update(Case).where(Case.id.in_(ended)).values(person_id=person_id))
    db.session.commit()
    _look_after()
    return person_id


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    with create_app(Settings(instance_path=asked["folder"], database_url=asked["url"])).app_context():
        populate(how_many=asked["how_many"], now=current_moment(), first=asked["first"])
