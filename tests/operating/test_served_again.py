"""A city in use is backed up and served again elsewhere, on the other engine."""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.machine import POSTGRESQL
from tests.served import Served, Visitor, serving

FROM = ("/", "/desk/events", "/desk/people", "/desk/requests")
MOST = 24
LINK = re.compile(r'href="(/(?!static|brand)[^"?#.]*)"')
# what differs from one page view to the next, and where the page was asked for
PASSING = re.compile(r'(?:value|content)="(?=[^"]*\.[\w-]{6}\.)[^"]+"|http://127\.0\.0\.1:\d+')


def _shown(server: Served, paths: Iterable[str]) -> dict[str, str]:
    visitor = Visitor(server.url)
    visitor.sign_in("organiser", "yan-lai-2026")
    return {path: PASSING.sub("", visitor.page(path)) for path in paths}


def test_a_city_restored_on_the_other_engine_shows_the_same_pages(served_demo: Served, tmp_path: Path):
    (tmp_path / "key").write_bytes(b"only for tests" * 8)
    locked_by = f"--key-file {tmp_path / 'key'} {tmp_path / 'city.backup'}"
    served_demo.run("backup", *locked_by.split())
    first = _shown(served_demo, FROM)
    paths = sorted({path for page in first.values() for path in LINK.findall(page)})[:MOST]
    shown = first | _shown(served_demo, paths)

    with serving(tmp_path, database=POSTGRESQL, first=(f"restore {locked_by}",)) as again:
        shown_again = _shown(again, shown)

    # a page that says how long ago something was may have changed by itself
    still = {path for path, page in _shown(served_demo, shown).items() if page == shown[path]}
    assert len(still) > MOST * 0.8
    assert [path for path in still if shown_again[path] != shown[path]] == []
