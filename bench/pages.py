"""How long the pages people open most take on the demo's city, asked for by one reader at a time, on SQLite."""

from collections.abc import Iterator
from itertools import chain

from bench.figure import Figure, median_of, must_be, percentile
from bench.ground import Ground
from bench.load import load, request
from outreach.organisations.queries import account_named

TIMES = 30
PUBLIC = {"portal_p50": "/", "event_page_p50": "/e/2"}
DESK = {"people_list_p50": "/desk/people/", "requests_list_p50": "/desk/requests", "events_list_p50": "/desk/events/"}


def figures(ground: Ground) -> Iterator[Figure]:
    """Yield the median of each page, in milliseconds."""
    with ground.city("sqlite") as city:
        cookie = city.session_cookie(_user_id=account_named("organiser").get_id(), _fresh=True)
        with city.served() as port:
            for name, path in chain(PUBLIC.items(), DESK.items()):
                asked = [request("GET", path, cookie=cookie if name in DESK else "")] * TIMES

                def run(_number: int, asked: list[str] = asked, path: str = path) -> float:
                    answers = load(port, asked, concurrency=1).answers
                    must_be(f"answers of {path}", {answer.status for answer in answers}, {200})
                    return percentile([answer.milliseconds for answer in answers], 0.5)

                yield Figure(name, median_of(run), "ms")
