"""How long the long lists take among 1,000 and among 100,000 people and requests, over HTTP.

One reader, the city's organiser, who sees everything there is, asks for each page of `PAGES` again and again: the lists
as they begin and as they end, narrowed by what is common and by what is rare, and the search over all of them. The
figure is the slowest page's median, on the slower of the two databases; every page's stands on standard error, and so
does what filling took. The timeline is that of one person with 10,000 lines.
"""

import json
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from urllib.parse import quote

from bench.figure import RUNS, Figure, must_be, percentile, say
from bench.ground import City, Ground
from bench.load import load, request
from bench.population import long_timeline
from outreach.config import ROOT
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.organisations.models import Account, Grant
from outreach.organisations.queries import account_named

FEW, MANY = 1_000, 100_000
KINDS = ("postgresql", "sqlite")
TIMES = 3
PAGES = (
    "/desk/people/",
    "/desk/people/?page=last",
    "/desk/people/?degree=doctor",
    "/desk/people/?q=王",
    "/desk/people/?q=王&page=last",
    "/desk/people/?q=大学",
    "/desk/people/?q=zhang",
    "/desk/people/?q=知遥",
    "/desk/people/?q=南华大学 王",
    "/desk/people/?q=王&degree=doctor",
    "/desk/people/?field=1",
    "/desk/people/?away=1&page=last",
    "/desk/events/",
    "/desk/events/?page=last",
    "/desk/events/?tab=past",
    "/desk/events/?tab=past&page=last",
    "/desk/events/?tab=past&kind=salon",
    "/desk/events/?q=会客厅",
    "/desk/events/?tab=past&q=耒阳&page=last",
    "/desk/requests?tab=open",
    "/desk/requests?tab=open&page=last",
    "/desk/requests?tab=open&topic=housing",
    "/desk/requests?tab=open&q=王",
    "/desk/requests?tab=ended",
    "/desk/requests?tab=ended&page=last",
    "/desk/requests?tab=ended&q=知遥",
    "/desk/search?q=王",
    "/desk/search?q=人才",
)


def figures(ground: Ground) -> Iterator[Figure]:
    """Yield the slowest list's median among few and among many, what it grows by, and the long timeline's."""
    few, many, timelines = 0.0, 0.0, []
    with ExitStack() as stack:
        cities = {kind: stack.enter_context(ground.city(kind)) for kind in KINDS}
        _fill(cities.values(), FEW)
        for kind, city in cities.items():
            with city.entered():
                few = max(few, _slowest(f"{kind}, {FEW}", _medians(city, PAGES)))
        _fill(cities.values(), MANY - FEW, first=FEW)
        for kind, city in cities.items():
            with city.entered():
                path = f"/desk/people/{long_timeline(now=now())}"
                medians = _medians(city, [*PAGES, path])
                timelines.append(medians.pop(path))
                many = max(many, _slowest(f"{kind}, {MANY}", medians))
                say(f"{kind}: timeline of 10,000 lines {timelines[-1]:.1f} ms")
    yield Figure("lists_p50_1k", few, "ms")
    yield Figure("lists_p50_100k", many, "ms")
    yield Figure("lists_growth_ratio", many / few, "ratio")
    yield Figure("timeline_10k_p50", max(timelines), "ms")


def _fill(cities: Iterable[City], how_many: int, first: int = 0) -> None:
    """Add so many people to each of the cities, to all at once, each by a process of its own."""
    begun = time.monotonic()
    filling = []
    try:
        for city in cities:
            one = subprocess.Popen(
                [sys.executable, "-m", "bench.population"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                text=True,
                start_new_session=True,  # it ends when the bench says so
            )
            filling.append(one)
            asked = {"folder": str(city.folder), "url": city.database_url, "how_many": how_many, "first": first}
            json.dump(asked, one.stdin)
            one.stdin.close()
        must_be("statuses of those who fill", {one.wait() for one in filling}, {0})
    finally:
        for one in filling:
            one.kill()
    say(f"filled {len(filling)} with {how_many} in {time.monotonic() - begun:.0f} s")


def _slowest(what: str, medians: Mapping[str, float]) -> float:
    for path, median in medians.items():
        say(f"{what}: {median:6.1f} ms {path}")
    return max(medians.values())


def _medians(city: City, paths: Sequence[str]) -> dict[str, float]:
    """Return the median of each page, each asked for by a reader of its own: nobody may search 120 times a minute."""
    cookies = {path: city.session_cookie(_user_id=reader(), _fresh=True) for path in paths}
    asked = [
        request("GET", quote(path, safe="/?=&"), cookie=cookie)
        for path, cookie in cookies.items()
        for _ in range(TIMES)
    ]
    runs: dict[str, list[float]] = {path: [] for path in paths}
    with city.served() as port:
        for _ in range(RUNS):
            answers = load(port, asked, concurrency=1).answers
            must_be("answers", {answer.status for answer in answers}, {200})
            for at, path in enumerate(paths):
                times = [answer.milliseconds for answer in answers[at * TIMES : (at + 1) * TIMES]]
                runs[path].append(percentile(times, 0.5))
    return {path: statistics.median(times) for path, times in runs.items()}


def reader() -> str:
    """Make another organiser at the city's office; return what a session holds of them."""
    first = account_named("organiser")
    reader = Account(
        name=first.name,
        username=f"reader-{uuid.uuid4().hex[:8]}",
        organisation=first.organisation,
        created_at=first.created_at,
        activated_at=first.activated_at,
        grants=[Grant(role=grant.role, organisation=grant.organisation) for grant in first.grants],
    )
    db.session.add(reader)
    db.session.commit()
    return reader.get_id()
