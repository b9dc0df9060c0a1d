"""Finding events on the desk: by words, kind and programme, in the order of each view, however many there are."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from outreach.events import queries
from outreach.events.models import event_words
from outreach.events.queries import Filters, Tab, find
from outreach.events.rules import EventKind, EventState
from outreach.kernel.database import db
from outreach.organisations.rules import Role
from tests.conftest import NOW
from tests.factories import a_programme, a_venue, an_account, an_event, an_organisation, signed_in

DAY = timedelta(days=1)


@pytest.fixture
def office(city):
    return city.lead_organisation


@pytest.fixture
def organiser(office):
    return an_account("何清越", organisation=office, roles=[Role.ORGANISER])


def titles(viewer, tab=Tab.UPCOMING, **filters):
    return [event.title for event in find(viewer, Filters(**filters)).page(tab, cursor=None, now=NOW).items]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("沙龙", ["林下沙龙"]),
        ("林", ["林下沙龙"]),
        ("林下 石鼓", ["林下沙龙"]),
        ("科技局", ["林下沙龙"]),
        ("林上", []),
        ("BYD", ["byd 开放日"]),
        ("开放", ["byd 开放日"]),
        ("会客厅", ["林下沙龙"]),
        ("江畔", ["byd 开放日"]),
        ("%", []),
        ("=salon", []),
        ("", ["林下沙龙", "byd 开放日"]),
    ],
)
def test_a_text_finds_by_titles_hosts_places_and_names(office, organiser, text, found):
    venue = a_venue("石鼓书院", organisation=office)
    programme = a_programme("人才会客厅", organisation=office)
    an_event(
        "林下沙龙", organisation=office, author=organiser, venue=venue, place=None, programme=programme, host="市科技局"
    )
    an_event("byd 开放日", organisation=office, author=organiser, starts_at=NOW + 9 * DAY, place="江畔路 18 号")

    assert titles(organiser, text=text) == found


def test_views_stand_in_their_order_with_and_without_words(office, organiser):
    for days, state in (
        (-9, EventState.FINISHED),
        (-3, EventState.PUBLISHED),
        (-2, EventState.DRAFT),
        (5, EventState.PUBLISHED),
        (2, EventState.PUBLISHED),
        (4, EventState.SUBMITTED),
        (3, EventState.CANCELLED),
    ):
        an_event(f"沙龙 {days}", organisation=office, author=organiser, starts_at=NOW + days * DAY, state=state)

    for text in ("", "沙龙"):
        assert titles(organiser, Tab.UPCOMING, text=text) == ["沙龙 2", "沙龙 5"]
        assert titles(organiser, Tab.PAST, text=text) == ["沙龙 -3", "沙龙 -9"]
        assert titles(organiser, Tab.DRAFTS, text=text) == ["沙龙 -2"]
        counts = find(organiser, Filters(text=text)).counts(now=NOW)
        assert counts == {Tab.UPCOMING: 2, Tab.WAITING: 1, Tab.DRAFTS: 1, Tab.PAST: 2, Tab.CANCELLED: 1}


def test_what_still_goes_on_comes_up_first(office, organiser):
    an_event("明天", organisation=office, author=organiser, starts_at=NOW + DAY)
    an_event("上周起", organisation=office, author=organiser, starts_at=NOW - 9 * DAY, ends_at=NOW + 2 * DAY)

    assert titles(organiser) == ["上周起", "明天"]


def test_kind_and_programme_narrow(office, organiser):
    programme = a_programme("会客厅", organisation=office)
    an_event("甲", organisation=office, author=organiser, programme=programme)
    an_event("乙", organisation=office, author=organiser, kind=EventKind.FORUM, programme=programme)
    an_event("丙", organisation=office, author=organiser, kind=EventKind.FORUM)

    assert sorted(titles(organiser, kind=EventKind.FORUM)) == ["丙", "乙"]
    assert titles(organiser, kind=EventKind.FORUM, programme_id=programme.id) == ["乙"]
    assert titles(organiser, kind=EventKind.FORUM, programme_id=programme.id, text="甲") == []


def test_a_county_finds_its_own(office, organiser):
    county, other = (an_organisation(name, parent=office) for name in ("石鼓区", "南岳区"))
    for unit in (office, county, other):
        an_event("沙龙", organisation=unit, author=organiser)
    reader = an_account(organisation=county, roles=[Role.ORGANISER])

    for text in ("", "沙龙"):
        page = find(reader, Filters(text=text)).page(Tab.UPCOMING, cursor=None, now=NOW)
        assert [event.organisation_id for event in page.items] == [county.id]


def test_words_follow_the_event_and_the_names_of_its_programme_and_venue(office, organiser):
    programme = a_programme("会客厅", organisation=office)
    event = an_event("沙龙", organisation=office, author=organiser, programme=programme)

    event.title, event.starts_at, event.ends_at = "论坛", NOW + 20 * DAY, NOW + 21 * DAY
    programme.name = "万雁入衡"
    db.session.flush()

    assert (titles(organiser, text="沙龙"), titles(organiser, text="会客")) == ([], [])
    assert (titles(organiser, text="论坛"), titles(organiser, text="万雁")) == (["论坛"], ["论坛"])
    standing = db.session.scalars(sa.select(event_words.c.word).order_by(event_words.c.word)).all()
    assert standing == sorted(event.words.split())
    assert set(db.session.scalars(sa.select(event_words.c.starts_at))) == {event.starts_at}


def test_the_list_is_paged_from_both_ends_and_its_counts_are_capped(office, organiser, monkeypatch):
    monkeypatch.setattr(queries, "MOST_COUNTED", 3)
    for number in range(5):
        an_event("沙龙", organisation=office, author=organiser, starts_at=NOW + (number + 1) * DAY)

    for text in ("", "沙龙"):
        found = find(organiser, Filters(text=text))
        last = found.page(Tab.UPCOMING, cursor="last", now=NOW)
        assert last.next is None
        assert last.items[-1].starts_at == NOW + 5 * DAY
        assert found.counts(now=NOW)[Tab.UPCOMING] == 4


def test_the_list_takes_as_many_statements_for_many_as_for_few(client, office, organiser, statements):
    desk = signed_in(client, organiser)
    paths = ("/desk/events/", "/desk/events/?q=沙龙", "/desk/events/?tab=past&kind=salon&page=last")

    def taken():
        return [len(counted) for path in paths for counted in [_asked(desk, path, statements)]]

    an_event("沙龙", organisation=office, author=organiser)
    taken()
    few = taken()
    for number in range(30):
        an_event("沙龙", organisation=office, author=organiser, starts_at=NOW + (number % 9) * DAY)

    assert taken() == few


def _asked(desk, path, statements):
    with statements() as counted:
        assert desk.get(path).status_code == 200
    return counted
