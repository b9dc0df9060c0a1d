"""How long the pages people open most take on the demo's city: one line a figure, `name value unit`.

Each page is asked for 30 times by one reader, in this process, on SQLite in a folder of its own; the median is
printed. The larger figures (100,000 rows, load from other processes) come with the issues that name them.
"""

import logging
import statistics
import tempfile
import time
from pathlib import Path

import flask_migrate

from outreach.app import create_app
from outreach.config import ROOT, Settings
from outreach.demo import city
from outreach.kernel import calendar_days
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.organisations.queries import account_named

TIMES = 30
PUBLIC = {"portal_p50": "/", "event_page_p50": "/e/2"}
DESK = {"people_list_p50": "/desk/people/", "requests_list_p50": "/desk/requests", "events_list_p50": "/desk/events/"}


def main() -> None:
    """Build the city, ask for the pages, print the medians."""
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(instance_path=Path(folder)))
        with app.app_context():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
            calendar_days.seed(first=2024, last=now().year + 1)
            city.build(now=now())
            db.session.commit()
            organiser = account_named("organiser").get_id()
            db.session.remove()
        for pages, kept in ((PUBLIC, {}), (DESK, {"_user_id": organiser, "_fresh": True})):
            client = app.test_client()
            with client.session_transaction() as session:
                session.update(kept)
            for name, path in pages.items():
                taken = []
                for _ in range(TIMES):
                    begun = time.perf_counter()
                    answer = client.get(path)
                    taken.append(time.perf_counter() - begun)
                    assert answer.status_code == 200, (path, answer.status_code)  # noqa: S101 -- a figure of an error page is none
                print(name, round(statistics.median(taken) * 1000, 1), "ms", flush=True)  # noqa: T201 -- what it is for


if __name__ == "__main__":
    main()
