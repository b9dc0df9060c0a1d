from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from outreach.kernel.database import db
from outreach.notices.models import Message
from outreach.people.operations import contact_point
from outreach.people.rules import ContactKind
from outreach.signing_in import operations
from outreach.signing_in.rules import (
    AccountRests,
    AddressRests,
    CodeOnItsWay,
    CodeSpent,
    CodesSpent,
    NetworkBusy,
    NotSignedIn,
    TriesSpent,
)
from tests import factories
from tests.conftest import NOW

ELSEWHERE = "192.0.2.7"


def _sign_in(name, password, *, now=NOW, address=ELSEWHERE):
    attempt = operations.note_password(name=name, address=address, now=now)
    return operations.sign_in(attempt=attempt, password=password)


@pytest.mark.parametrize(
    "name", ["magui", " MaGui ", "199 0800 0000", "１９９０８００００００", "+8619908000000", "U0@Example.com"]
)
def test_staff_sign_in_by_username_number_or_address_however_typed(session, name):
    lead = factories.an_installation().lead_organisation
    account = factories.an_account(organisation=lead, username="magui", phone="+8619908000000", email="u0@example.com")

    signed_in = _sign_in(name, factories.PASSWORD)

    assert signed_in is account


@pytest.mark.parametrize(
    ("name", "password"),
    [("magui", "not the password"), ("nobody", factories.PASSWORD), ("closed", factories.PASSWORD), ("new", "")],
    ids=["wrong password", "unknown name", "closed account", "not activated"],
)
def test_nothing_tells_why_somebody_was_not_signed_in(session, name, password):
    lead = factories.an_installation().lead_organisation
    factories.an_account(organisation=lead, username="magui")
    factories.an_account(organisation=lead, username="closed", disabled_at=NOW)
    factories.an_account(organisation=lead, username="new", password_hash=None)

    with pytest.raises(NotSignedIn):
        _sign_in(name, password)


def test_an_account_rests_longer_with_each_failure_after_the_fifth(session):
    factories.an_account(
        organisation=factories.an_installation().lead_organisation, username="magui", phone="+8619908000000"
    )
    moment = NOW
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            _sign_in("magui", "wrong", now=moment)

    with pytest.raises(AccountRests) as first:
        _sign_in("19908000000", factories.PASSWORD, now=moment + timedelta(seconds=50))
    moment += timedelta(minutes=1)
    with pytest.raises(NotSignedIn):
        _sign_in("magui", "wrong", now=moment)
    with pytest.raises(AccountRests) as second:
        _sign_in("magui", factories.PASSWORD, now=moment)

    assert (first.value.values, second.value.values) == ({"minutes": 1}, {"minutes": 2})
    assert _sign_in("magui", factories.PASSWORD, now=moment + timedelta(minutes=2)).username == "magui"


def test_a_name_nobody_has_rests_as_well(session):
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            _sign_in("nobody", "wrong")

    with pytest.raises(AccountRests):
        _sign_in("nobody", "wrong")


def test_getting_in_ends_the_counting_of_failures(session):
    factories.an_account(organisation=factories.an_installation().lead_organisation, username="magui")
    for _ in range(4):
        with pytest.raises(NotSignedIn):
            _sign_in("magui", "wrong")
    _sign_in("magui", factories.PASSWORD)

    for _ in range(4):
        with pytest.raises(NotSignedIn):
            _sign_in("magui", "wrong")

    assert _sign_in("magui", factories.PASSWORD).username == "magui"


def test_an_address_rests_after_very_many_failures_and_others_do_not(session):
    factories.an_account(organisation=factories.an_installation().lead_organisation, username="magui")
    for number in range(100):
        operations.note_password(name=f"nobody{number}", address=ELSEWHERE, now=NOW)

    with pytest.raises(AddressRests):
        _sign_in("magui", factories.PASSWORD)

    assert _sign_in("magui", factories.PASSWORD, address="192.0.2.8").username == "magui"


def _want_code(value="19900000036", *, now=NOW, address=ELSEWHERE):
    return operations.note_code_wanted(kind=ContactKind.PHONE, value=value, address=address, now=now)


def test_a_number_is_sent_five_codes_an_hour_and_ten_a_day(session):
    moments = [NOW + timedelta(minutes=2 * number) for number in range(5)]
    for moment in moments:
        _want_code(now=moment)

    with pytest.raises(CodesSpent) as hour:
        _want_code(now=NOW + timedelta(minutes=10))
    for number in range(5):
        _want_code(now=NOW + timedelta(hours=2, minutes=2 * number))
    with pytest.raises(CodesSpent) as day:
        _want_code(now=NOW + timedelta(hours=4))

    assert hour.value.values == {"minutes": 50}
    assert day.value.values == {"minutes": 20 * 60}


def test_a_hall_behind_one_address_is_sent_many_codes_and_a_flood_is_not(session):
    for number in range(200):
        _want_code(f"199{number:08}")

    with pytest.raises(NetworkBusy):
        _want_code("19911111111")

    assert _want_code("19911111111", address="192.0.2.9") == "+8619911111111"


def test_ten_tries_an_hour_are_all_a_number_has_however_many_codes_it_was_sent(session):
    point = contact_point(kind=ContactKind.PHONE, value="19900000036", now=NOW)
    for sent in range(2):
        moment = NOW + timedelta(minutes=2 * sent)
        operations.send_code(contact_point=point, now=moment)
        for _ in range(5):
            operations.note_code_tried(contact_point=point, address=ELSEWHERE, now=moment)
    later = NOW + timedelta(minutes=5)
    operations.send_code(contact_point=point, now=later)

    with pytest.raises(TriesSpent):
        operations.note_code_tried(contact_point=point, address=ELSEWHERE, now=later)


def test_a_code_is_valid_for_ten_minutes(session):
    point = contact_point(kind=ContactKind.PHONE, value="19900000036", now=NOW)
    operations.send_code(contact_point=point, now=NOW)

    with pytest.raises(CodeSpent):
        operations.note_code_tried(contact_point=point, address=ELSEWHERE, now=NOW + timedelta(minutes=10))


def test_codes_and_links_stand_hashed_in_the_database(session):
    point = contact_point(kind=ContactKind.PHONE, value="19900000036", now=NOW)

    operations.send_code(contact_point=point, now=NOW)

    code = session.scalars(sa.select(Message)).one().values["code"]
    kept = session.execute(sa.text("SELECT code_hash FROM contact_codes")).scalar_one()
    message = session.execute(sa.text('SELECT "values" FROM messages')).scalar_one()
    assert code not in kept
    assert code not in str(message)


def test_however_many_ask_at_once_a_number_is_sent_one_code(app, session):
    session.commit()

    def press(_number):
        with app.app_context():
            try:
                _want_code(now=NOW)
            except CodeOnItsWay:
                return 0
            db.session.commit()
            return 1

    with ThreadPoolExecutor(8) as crowd:
        sent = sum(crowd.map(press, range(8)))

    assert sent == 1


def test_however_many_guess_at_once_an_account_rests_after_five(app, session):
    factories.an_account(organisation=factories.an_installation().lead_organisation, username="magui")
    session.commit()

    def guess(_number):
        with app.app_context():
            try:
                operations.note_password(name="magui", address=ELSEWHERE, now=NOW)
            except AccountRests:
                return 0
            db.session.commit()
            return 1

    with ThreadPoolExecutor(12) as crowd:
        compared = sum(crowd.map(guess, range(12)))

    assert compared == 5
