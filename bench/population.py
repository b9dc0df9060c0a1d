"""A city's people, events and requests in any number, put into the database in bulk.

Names, employers, titles and states are spread as in a city: some surnames are a thousand times as frequent as others,
most events are over, and of the requests one in twenty is open. Contacts and words are sealed, and what people and
events are found by is made by the application's own code.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

import sqlalchemy as sa

from bench.figure import say
from outreach.cases.models import Case
from outreach.cases.rules import CaseSource, CaseState, Topic
from outreach.events.models import EVENTS_BY_WORDS, Event, PlaceGroup, event_words
from outreach.events.rules import EventKind, EventState
from outreach.kernel.database import db
from outreach.kernel.sealing import blind
from outreach.kernel.words import written
from outreach.liaison.models import Visit, VisitLeader, VisitTalent
from outreach.liaison.rules import VisitWay
from outreach.organisations.models import Account, Organisation
from outreach.people.models import PEOPLE_BY_WORDS, ContactPoint, Person, PersonContact, TalentClass, person_words
from outreach.people.queries import tail_index
from outreach.people.rules import ContactKind, Degree, words_of_person
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState

STEP = 10_000
SEED = 20261121
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭"
    "陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤单仇区查"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国志文斌海波宁晓燕宇浩然子轩梓涵欣怡雨佳琪思远嘉诚天佑俊雪梅振东"
    "立新春生金龙凤仙启航知遥清越若水景行承泽云帆书瑶一诺𠮷䶮"
)
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
OPEN_STATES = (CaseState.REGISTERED, CaseState.ASSIGNED, CaseState.ACCEPTED, CaseState.REPLIED, CaseState.CONTESTED)


def populate(*, how_many: int, now: datetime, first: int = 0) -> None:
    """Add so many people, events and requests to the demo's city, spread over its units; committed.

    `first` is how many were added before.
    """
    chance = random.Random(SEED + first)  # noqa: S311 -- dice for a measurement, not a secret
    units = db.session.scalars(sa.select(Organisation.id).order_by(Organisation.id)).all()
    people = _people(how_many, units, chance, now)
    db.session.commit()
    say(f"{how_many} people")
    _events(range(first, first + how_many), units, chance, now)
    db.session.commit()
    say(f"{how_many} events")
    _requests(range(first, first + how_many), units, people, chance, now)
    db.session.commit()
    say(f"{how_many} requests")
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")  # as autovacuum has done in a city that grew to this


def _people(how_many: int, units: list[int], chance: random.Random, now: datetime) -> list[int]:
    classes = db.session.scalars(sa.select(TalentClass.id).order_by(TalentClass.position)).all()
    shares = [1 / (rank + 3) for rank in range(len(SURNAMES))]
    of_unit = [1 / (rank + 1) for rank in range(len(units))]
    first = db.session.scalar(sa.select(sa.func.coalesce(sa.func.max(ContactPoint.id), 0)))
    ids: list[int] = []
    for step in _steps(range(how_many)):
        made = []
        for _ in step:
            name = chance.choices(SURNAMES, shares)[0] + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))
            person = Person(
                name=name,
                organisation_id=chance.choices(units, of_unit)[0],
                employer=chance.choice(PLACES) + chance.choice(FIRMS),
                school=chance.choice(SCHOOLS),
                degree=chance.choice([*Degree, None]),
                talent_class_id=chance.choice([*classes, None, None]),
                created_at=now,
                updated_at=now,
            )
            person.words = written(words_of_person(person))
            made.append(person)
        new = _inserted(Person, [_values(person, PERSON) for person in made])
        for person, person_id in zip(made, new, strict=True):
            person.id = person_id
        numbers = [f"+86198{number:08d}" for number in range(first + len(ids), first + len(ids) + len(new))]
        points = _inserted(
            ContactPoint,
            [
                {
                    "kind": ContactKind.PHONE,
                    "value": number,
                    "index": blind(number, purpose=ContactKind.PHONE.value),
                    "tail": tail_index(number, ContactKind.PHONE),
                }
                for number in numbers
            ],
        )
        _inserted(
            PersonContact,
            [
                {"person_id": person_id, "contact_point_id": point, "since": now}
                for person_id, point in zip(new, points, strict=True)
            ],
        )
        rows = sorted((row for person in made for row in PEOPLE_BY_WORDS.rows(person)), key=lambda row: row["word"])
        db.session.execute(sa.insert(person_words), rows)
        db.session.commit()
        ids += new
    return ids


PERSON = (
    "name",
    "name_key",
    "pinyin",
    "sound",
    "words",
    "organisation_id",
    "employer",
    "school",
    "degree",
    "talent_class_id",
    "created_at",
    "updated_at",
)


def _values(record: object, columns: Iterable[str]) -> dict[str, object]:
    return {column: getattr(record, column) for column in columns}


def _events(numbers: range, units: list[int], chance: random.Random, now: datetime) -> None:
    author = db.session.scalar(sa.select(Account.id).where(Account.username == "organiser"))
    for step in _steps(numbers):
        rows = []
        for number in step:
            starts_at = now + timedelta(minutes=chance.randrange(-5_000_000, 150_000))
            over = starts_at + timedelta(hours=3) < now
            held = EventState.FINISHED if over else EventState.PUBLISHED
            state = chance.choices([held, *EVENT_STATES], EVENT_SHARES)[0]
            rows.append(
                {
                    "organisation_id": chance.choice(units),
                    "kind": chance.choice(list(EventKind)),
                    "state": state,
                    "title": f"{chance.choice(PLACES)}{chance.choice(SHOWS)}",
                    "subtitle": f"第 {number} 期",
                    "about": "一次面对面的交流，欢迎带着问题来。" * 12,
                    "host": chance.choice(PLACES) + "人才办",
                    "place": f"江畔路 {number % 400} 号",
                    "starts_at": starts_at,
                    "ends_at": starts_at + timedelta(hours=3),
                    "author_id": author,
                    "created_at": now,
                    "published_at": None if state in {EventState.DRAFT, EventState.SUBMITTED} else now,
                    "uid": f"bench-{number}",
                    "version": 1,
                }
            )
        made = [Event(**row) for row in rows]
        for event, row in zip(made, rows, strict=True):
            event.words = row["words"] = written(EVENTS_BY_WORDS.words_of(event))
        ids = _inserted(Event, rows)
        words = []
        for event, event_id in zip(made, ids, strict=True):
            event.id = event_id
            words += EVENTS_BY_WORDS.rows(event)
        db.session.execute(sa.insert(event_words), sorted(words, key=lambda row: row["word"]))
        groups = [{"event_id": event_id, "position": 0, "name": "名额", "capacity": 60} for event_id in ids]
        _inserted(PlaceGroup, groups)
        db.session.commit()


def _requests(numbers: range, units: list[int], people: list[int], chance: random.Random, now: datetime) -> None:
    intake = units[0]
    for step in _steps(numbers):
        rows = []
        for number in step:
            is_open = chance.random() < 0.05
            created_at = now - timedelta(minutes=chance.randrange(30_000 if is_open else 3_000_000))
            lead = chance.choice(units)
            state = chance.choice(OPEN_STATES) if is_open else CaseState.CLOSED
            rows.append(
                {
                    "number": f"{2000 + number // 10_000}-{number % 10_000:04d}",
                    "person_id": people[number % len(people)],
                    "intake_id": intake,
                    "lead_id": None if state is CaseState.REGISTERED else lead,
                    "topic": chance.choice(list(Topic)),
                    "source": chance.choice(list(CaseSource)),
                    "title": chance.choice(ASKS),
                    "words": chance.choice(ASKS) + "，请问该找哪个部门？",
                    "state": state,
                    "answerable_id": (intake if state is CaseState.REGISTERED else lead) if is_open else None,
                    "due_at": created_at + timedelta(days=7) if is_open else None,
                    "created_at": created_at,
                    "assigned_at": created_at,
                    "ended_at": None if is_open else created_at + timedelta(days=chance.randrange(1, 9)),
                    "version": 1,
                }
            )
        _inserted(Case, rows)
        db.session.commit()


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
    _inserted(
        Registration,
        [
            {
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
            for (event_id, group_id), moment in zip(groups, at, strict=True)
        ],
    )
    visits = _inserted(
        Visit,
        [
            {
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
    _inserted(VisitLeader, [{"visit_id": visit, "account_id": leader.id} for visit in visits])
    _inserted(VisitTalent, [{"visit_id": visit, "person_id": person_id} for visit in visits])
    ended = sa.select(Case.id).where(Case.ended_at.is_not(None)).order_by(Case.id).limit(1500)
    db.session.execute(sa.update(Case).where(Case.id.in_(ended)).values(person_id=person_id))
    db.session.commit()
    return person_id


def _inserted(model: type, rows: list[dict[str, object]]) -> list[int]:
    statement = sa.insert(model).returning(model.id, sort_by_parameter_order=True)
    return list(db.session.scalars(statement, rows))


def _steps(numbers: Iterable[int]) -> Iterator[list[int]]:
    numbers = iter(numbers)
    while step := list(islice(numbers, STEP)):
        yield step
