import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from outreach.kernel.clock import now
from outreach.notices.models import Message
from outreach.organisations.rules import Role
from outreach.people.models import ContactPoint
from outreach.signing_in import operations
from outreach.signing_in.models import ActivationLink, Attempt, ContactCode
from outreach.signing_in.rules import AttemptKind
from tests import factories

NUMBER = "199 0000 0036"


def _sign_in(client, name, password):
    return client.post("/desk/sign-in", data={"name": name, "password": password})


def _code(session):
    return session.scalars(sa.select(Message).order_by(Message.id.desc())).first().values["code"]


def _ask(client, number=NUMBER, **query):
    return client.post("/sign-in", data={"number": number}, query_string=query)


def test_staff_come_in_by_password_and_go_by_a_button(client, city):
    factories.an_account(organisation=city.lead_organisation, username="magui")

    came = _sign_in(client, "magui", factories.PASSWORD)
    inside = client.get("/desk/account")
    went = client.post("/desk/sign-out")
    outside = client.get("/desk/account")

    assert (came.status_code, came.location) == (303, "/desk/")
    assert inside.status_code == 200
    assert (went.status_code, outside.status_code) == (303, 302)


def test_a_page_asked_for_before_signing_in_is_shown_after_it_but_never_another_sites(client, city):
    factories.an_account(organisation=city.lead_organisation, username="magui")
    form = {"name": "magui", "password": factories.PASSWORD}

    ours = client.post("/desk/sign-in?next=/desk/account", data=form)
    client.post("/desk/sign-out")
    theirs = client.post("/desk/sign-in?next=//elsewhere.example/", data=form)

    assert (ours.location, theirs.location) == ("/desk/account", "/desk/")


def test_a_wrong_password_keeps_what_was_typed_and_is_counted_though_nothing_else_is_kept(client, city, session):
    factories.an_account(organisation=city.lead_organisation, username="magui")

    answer = _sign_in(client, "magui", "wrong")

    assert answer.status_code == 422
    assert 'value="magui"' in answer.text
    assert "用户名和密码对不上" in answer.text
    assert session.scalar(sa.select(sa.func.count()).where(Attempt.kind == AttemptKind.PASSWORD)) == 1


def test_guessing_in_a_loop_ends_at_the_lock_out_even_for_the_right_password(client, city):
    factories.an_account(organisation=city.lead_organisation, username="magui")
    for _ in range(5):
        _sign_in(client, "magui", "wrong")

    locked = _sign_in(client, "magui", factories.PASSWORD)

    assert "密码错得太多" in locked.text
    assert (locked.status_code, locked.headers["Retry-After"]) == (429, "60")
    assert client.get("/desk/account").status_code == 302


def test_a_new_password_ends_other_sessions_and_keeps_this_one(client, city, app):
    account = factories.an_account(organisation=city.lead_organisation, username="magui")
    elsewhere = factories.signed_in(app.test_client(), account)
    _sign_in(client, "magui", factories.PASSWORD)

    changed = client.post(
        "/desk/account",
        data={"present": factories.PASSWORD, "password": "winter geese return", "again": "winter geese return"},
    )

    assert changed.status_code == 303
    assert client.get("/desk/account").status_code == 200
    assert elsewhere.get("/desk/account").status_code == 302


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("short", "密码至少 10 位"),
        ("aaaaaaaaaaaa", "密码重复的字太多"),
        ("magui is my name", "密码里有您的姓名或号码"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused_beside_its_field(client, city, new, said):
    account = factories.an_account(organisation=city.lead_organisation, username="magui")
    factories.signed_in(client, account)

    answer = client.post("/desk/account", data={"present": factories.PASSWORD, "password": new, "again": new})

    assert answer.status_code == 422
    assert said in answer.text


def test_a_one_time_link_opens_an_account_once(client, city, session):
    account = factories.an_account(organisation=city.lead_organisation, username="magui", password_hash=None)
    token = operations.make_link(account=account, by=account.actor, now=now())
    form = {"password": "winter geese return", "again": "winter geese return"}

    looked = client.get(f"/activate/{token}")
    first = client.post(f"/activate/{token}", data=form)
    inside = client.get("/desk/account")
    client.post("/desk/sign-out")
    again = client.get(f"/activate/{token}")
    by_post = client.post(f"/activate/{token}", data=form)

    assert (looked.status_code, first.status_code, inside.status_code) == (200, 303, 200)
    assert (again.status_code, by_post.status_code) == (410, 410)
    assert _sign_in(client, "magui", "winter geese return").status_code == 303
    assert token not in session.scalars(sa.select(ActivationLink.token_hash)).one()


def test_a_newer_link_makes_the_older_one_void_and_both_run_out(client, city):
    account = factories.an_account(organisation=city.lead_organisation, password_hash=None)
    older = operations.make_link(account=account, by=account.actor, now=now())
    newer = operations.make_link(account=account, by=account.actor, now=now())
    late = factories.an_account(organisation=city.lead_organisation, password_hash=None)
    stale = operations.make_link(account=late, by=late.actor, now=now() - timedelta(days=15))

    answers = [client.get(f"/activate/{token}").status_code for token in (older, newer, stale, "nonsense")]

    assert answers == [410, 200, 410, 410]


def test_a_sheet_of_links_is_printed_for_those_the_administrator_looks_after_only(client, city, session):
    county = factories.an_organisation("衡东县", parent=city.lead_organisation)
    administrator = factories.an_account(organisation=county, roles=[Role.ADMINISTRATOR])
    leader = factories.an_account("龙副市长", organisation=county, roles=[Role.LEADER], password_hash=None)
    above = factories.an_account("市里的人", organisation=city.lead_organisation, password_hash=None)
    both = factories.an_account("两头任职", organisation=county, roles=[Role.LEADER], password_hash=None)
    both.grants[0].organisation = city.lead_organisation
    factories.signed_in(client, administrator)

    sheet = client.post("/desk/accounts/links", data={"account": [leader.id, above.id, both.id]})

    assert sheet.status_code == 200
    assert "龙副市长" in sheet.text
    assert "市里的人" not in sheet.text
    assert "两头任职" not in sheet.text
    token = re.search(r"/activate/<wbr>([a-z0-9]{16})<", sheet.text)[1]
    assert client.get(f"/activate/{token}").status_code == 200
    assert session.scalar(sa.select(sa.func.count()).select_from(ActivationLink)) == 1


def test_an_attendee_comes_in_by_number_and_code(client, session):
    asked = _ask(client, next="/my/tickets")
    wanted = client.get("/sign-in?next=/my/tickets")
    proven = client.post("/sign-in/code?next=/my/tickets", data={"code": _code(session)})

    assert asked.status_code == 303
    assert 'autocomplete="one-time-code"' in wanted.text
    assert (proven.status_code, proven.location) == (303, "/my/tickets")
    with client.session_transaction() as kept:
        point = session.get(ContactPoint, kept["contact_point_id"])
    assert point.value == "+8619900000036"
    assert point.proven_at is not None


def test_talent_from_abroad_comes_in_by_mail(client, session):
    _ask(client, "Lin@Example.com", by="mail")

    proven = client.post("/sign-in/code", data={"code": _code(session)})

    assert proven.status_code == 303
    assert session.scalars(sa.select(ContactPoint)).one().value == "lin@example.com"


def test_a_wrong_number_is_refused_beside_its_field_and_stays_typed(client):
    answer = _ask(client, "1990000027")

    assert answer.status_code == 422
    assert "手机号是 11 位，这个有 10 位" in answer.text
    assert 'value="1990000027"' in answer.text


def test_another_code_is_sent_after_a_minute_only_whoever_asks(client, app, session):
    _ask(client)

    again = _ask(client)
    from_elsewhere = app.test_client().post("/sign-in", data={"number": NUMBER})

    assert (again.status_code, from_elsewhere.status_code) == (429, 429)
    assert 0 < int(again.headers["Retry-After"]) <= 60
    assert "秒后可以再要一次" in again.text
    assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 1


def test_codes_guessed_in_a_loop_stop_and_the_right_one_no_longer_helps(client, session):
    _ask(client)
    code = _code(session)
    wrong = "000000" if code != "000000" else "000001"

    answers = [client.post("/sign-in/code", data={"code": wrong}) for _ in range(5)]
    right = client.post("/sign-in/code", data={"code": code})

    assert [answer.status_code for answer in answers] == [422] * 5
    assert "还可以试 4 次" in answers[0].text
    assert "验证码已经失效" in answers[4].text
    assert "验证码已经失效" in right.text
    assert session.scalars(sa.select(ContactCode)).one().tries == 5


def test_a_code_opens_the_door_once(client, app, session):
    _ask(client)
    code = _code(session)
    with client.session_transaction() as kept:
        waiting = dict(kept)
    client.post("/sign-in/code", data={"code": code})
    other = app.test_client()
    with other.session_transaction() as kept:
        kept.update(waiting)

    again = other.post("/sign-in/code", data={"code": code})

    assert again.status_code == 422
    assert "验证码已经失效" in again.text


def test_the_session_is_renewed_when_an_attendee_comes_in_and_keeps_the_desks_own(client, city, session):
    factories.signed_in(client, factories.an_account(organisation=city.lead_organisation))
    _ask(client)
    with client.session_transaction() as kept:
        kept["left_over"] = "from before"

    client.post("/sign-in/code", data={"code": _code(session)})

    with client.session_transaction() as kept:
        assert "left_over" not in kept
        assert "code_for" not in kept
    assert client.get("/desk/account").status_code == 200
