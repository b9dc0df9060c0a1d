"""How many guests a second the door lets in, through the endpoint the scanner uses.

Each run lets other tickets in than the runs before, at one event; afterwards the arrivals in the database are counted.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator

import sqlalchemy as sa

from bench.attendees import event_tonight, registered
from bench.figure import RUNS, Figure, median_of, must_be, percentile, say
from bench.floor import floor
from bench.ground import CORES, City, Ground
from bench.load import Outcome, load, request
from outreach.door import operations, queries
from outreach.door.models import HASHED, Arrival, facts_covered
from outreach.door.rules import EntryWay, Verdict
from outreach.kernel.actor import ActorKind
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.kernel.history import keyed_hash
from outreach.organisations.queries import account_named
from outreach.registration.models import Registration

TICKETS = {1: 300, 8: 900, 32: 2000}
"""How many tickets a run lets in, by concurrency: two seconds or so each."""
WARM_UP = 200
COLUMNS = (*HASHED, "hash")


def figures(ground: Ground) -> Iterator[Figure]:
    """Yield check-ins a second at three concurrencies and the 95th percentile at the highest; on PostgreSQL."""
    with ground.city() as city, city.served(f"--workers={CORES}") as port:
        city.settle()
        door = Door(city, port)
        door.let_in(WARM_UP, concurrency=8)
        for concurrency, tickets in TICKETS.items():
            outcomes = sorted(
                (door.let_in(tickets, concurrency=concurrency) for _ in range(RUNS)), key=lambda each: each.per_second
            )
            median = outcomes[RUNS // 2]
            yield Figure(f"checkin_c{concurrency}", median.per_second, "per_second")
        yield Figure("checkin_c32_p95", percentile([each.milliseconds for each in median.answers], 0.95), "ms")
        bare = median_of(lambda _: door.write_bare(TICKETS[32], concurrency=32))
        yield Figure("checkin_c32_floor", bare, "per_second")
        yield Figure("checkin_c32_floor_ratio", median.per_second / bare, "ratio")
    with ground.city("sqlite") as city, city.served() as port:
        door = Door(city, port)
        door.let_in(WARM_UP, concurrency=8)
        say(f"on SQLite: checkin_c32 {door.let_in(TICKETS[32], concurrency=32).per_second:.0f} per_second")


class Door:
    """The door of one event and a phone that joined it."""

    def __init__(self, city: City, port: int) -> None:
        self.city = city
        self.port = port
        self.arrived = 0
        self.event = event_tonight(organiser=account_named("organiser"), places=40_000, now=now())
        link = operations.invite(event=self.event, by=self.event.author.actor, now=now())
        invitation = queries.invitation_by_token(link, now=now())
        secret = operations.enrol(invitation=invitation, name="李知夏", gate="东门", now=now())
        db.session.commit()
        self.cookie = f"outreach_door={secret}"
        [page] = load(port, [request("GET", "/door/", cookie=self.cookie)], concurrency=1).answers
        self.cookie += "; " + re.search(r"^Set-Cookie: (outreach=[^;]+)", page.head, re.M | re.I).group(1)

    def let_in(self, tickets: int, *, concurrency: int) -> Outcome:
        """Scan so many tickets that nobody has scanned, and count the arrivals afterwards.

        :raises bench.figure.WrongCount: if not everybody was let in, once
        """
        outcome = load(self.port, [self._scan(each) for each in self._new_ids(tickets)], concurrency=concurrency)
        must_be("answers", Counter(each.status for each in outcome.answers), {200: tickets})
        verdicts = Counter(json.loads(each.body)["verdict"] for each in outcome.answers)
        must_be("verdicts", verdicts, {Verdict.IN: tickets})
        self.arrived += tickets
        self._count()
        return outcome

    def write_bare(self, tickets: int, *, concurrency: int) -> float:
        """Write the same rows without a web layer; return how many a second.

        :raises bench.figure.WrongCount: if not every row is there afterwards
        """
        phone = queries.phones_of(self.event.id)[0]
        facts = {
            "event_id": self.event.id,
            "way": EntryWay.SCANNED,
            "by_kind": ActorKind.DOOR,
            "by_id": phone.id,
            "door_pass_id": phone.id,
        }
        rows = []
        for registration_id in self._new_ids(tickets):
            moment = now()
            row = facts | {"registration_id": registration_id, "at": moment, "received_at": moment}
            row["hash"] = keyed_hash(facts_covered(**row))
            rows.append([str(row[name]) if name in {"at", "received_at"} else row[name] for name in COLUMNS])
        places = ", ".join(["%s"] * len(COLUMNS))
        statement = f"INSERT INTO arrivals ({', '.join(COLUMNS)}) VALUES ({places})"  # noqa: S608 -- our own columns
        seconds = floor(self.city.database_url, statement, rows, concurrency=concurrency)
        self.arrived += tickets
        self._count()
        return tickets / seconds

    def _count(self) -> None:
        found = sa.select(sa.func.count(), sa.func.count(sa.distinct(Arrival.registration_id)))
        counted = db.session.execute(found.where(Arrival.event_id == self.event.id)).one()
        must_be("arrivals", tuple(counted), (self.arrived, self.arrived))
        must_be("arrivals with a wrong hash", queries.broken_arrivals(), [])
        db.session.commit()

    def _new_ids(self, how_many: int) -> list[int]:
        made = registered(event=self.event, how_many=how_many, now=now())
        db.session.execute(sa.text("ANALYZE"))  # as a database does by itself before the evening comes
        db.session.commit()  # or SQLite's write lock would stay here
        return made

    def _scan(self, registration_id: int) -> str:
        link = f"http://127.0.0.1:{self.port}/t/{Registration(id=registration_id).token}"
        return request(
            "POST",
            "/door/read",
            cookie=self.cookie,
            body=json.dumps({"text": link, "way": "scanned"}),
            headers=("Content-Type: application/json",),
        )
