"""One's own data on the phone: who sees what, with which proof."""

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
import sqlalchemy as sa

from outreach.kernel import clock
from outreach.kernel.history import HistoryLine
from outreach.notices.models import Message
from outreach.people import operations as people
from outreach.people.models import Consent, Person, PersonContact
from outreach.privacy.models import Erasure
from outreach.privacy.rules import ErasureState
from outreach.registration.rules import RegistrationState
from outreach.web.access import FRESH_FOR
from tests.factories import a_contact_point, a_person, proven
from tests.privacy.conftest import IDENTITY, MAIL, NAME, PHONE


def posted(browser, address, **data):
    """Send a form and return the page it leads to."""
    return browser.get(browser.post(address, data=data).location)


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)).split())


@pytest.fixture
def me(client, life):
    return proven(client, life.number)


@pytest.fixture
def named(me, life):
    """The same after the full name was written."""
    answer = me.post(f"/my/data/{life.person.id}/name?to=record", data={"name": "欧阳 思齐"})
    assert answer.location.endswith(f"/my/data/{life.person.id}/record")
    return me


def shared(session, life):
    """Let a colleague be reached at the same number."""
    session.add(PersonContact(person_id=life.colleague.id, contact_point_id=life.number.id, since=clock.now()))
    session.commit()


def stale(browser):
    with browser.session_transaction() as kept:
        kept["proven_at"] = (clock.now() - FRESH_FOR - timedelta(seconds=1)).isoformat()


def test_me_leads_to_my_data_and_names_are_masked_there(me, life):
    assert "/my/data/" in me.get("/my").text
    page = text_of(me.get("/my/data/"))

    assert NAME not in page
    assert "谁看过我的资料" in page


def test_who_looked_says_unit_role_what_when_and_why_and_never_who(me, life):
    page = text_of(me.get(f"/my/data/{life.person.id}/looks"))

    assert "市委人才办 · 组织者" in page
    assert f"看了您的完整号码或邮箱：给{NAME}打电话" in page
    assert "在导出或打印的名单里" in page
    assert life.organiser.name not in page


def test_each_consent_stands_with_its_text_its_time_and_its_number(me, life):
    page = text_of(me.get(f"/my/data/{life.person.id}/consents"))

    assert "您留下的姓名、手机号（或邮箱）和报名信息，只用来办这次活动" in page
    assert "通过 199 1234 5678 同意" in page
    assert "您在这场活动的名额马上让出来" in page
    assert "您写的和答复的内容都删除" in page


def test_taking_a_consent_back_gives_the_place_back_and_deletes_what_was_given(me, session, life):
    consent = session.scalars(sa.select(Consent).where(Consent.about == f"event:{life.coming.id}")).one()

    answer = posted(me, f"/my/data/consents/{consent.id}/withdraw")

    assert "已经撤回，资料也删了" in text_of(answer)
    assert consent.withdrawn_at is not None
    assert life.place.state is RegistrationState.CANCELLED
    assert life.place.person_id != life.person.id
    assert life.came.person_id == life.person.id
    assert me.post(f"/my/data/consents/{consent.id}/withdraw").status_code in {303, 409}
    assert session.scalar(sa.select(sa.func.count()).where(Consent.withdrawn_at.is_not(None))) == 1


def test_the_record_asks_for_a_recent_code_and_then_for_the_name(me, session, life):
    stale(me)
    away = me.get(f"/my/data/{life.person.id}/record")
    asked = me.get(away.location)
    proven(me, life.number)
    named = me.get(f"/my/data/{life.person.id}/record")

    assert "/sign-in" in away.location
    assert "再收一次验证码" in text_of(asked)
    assert "199 1234 5678" in asked.text
    assert named.location.endswith("/name?to=record")


def test_a_wrong_name_opens_nothing_and_is_counted(me, life):
    address = f"/my/data/{life.person.id}/name"
    answers = [me.post(address, data={"name": "别人"}).status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]
    assert me.post(address, data={"name": NAME}).status_code == 429
    assert me.get(f"/my/data/{life.person.id}/record").status_code == 302


def test_one_sees_and_corrects_ones_own_record(named, session, life):
    page = named.get(f"/my/data/{life.person.id}/record")
    seen = re.search(r'name="seen_at"[^>]*value="([^"]+)"', page.text)[1]
    said = {
        "name": NAME,
        "employer": "雁城新能源",
        "position": "总工",
        "gender": "",
        "degree": "doctor",
        "seen_at": seen,
    }
    answer = named.post(f"/my/data/{life.person.id}/record", data=said)

    assert IDENTITY in page.text
    assert answer.status_code == 303
    person = session.get_one(Person, life.person.id)
    assert (person.employer, person.degree.value, person.remark) == ("雁城新能源", "doctor", f"{NAME}是引进人才")
    line = session.scalars(
        sa.select(HistoryLine).where(HistoryLine.subject_kind == "person", HistoryLine.act == "changed")
    ).one()
    assert (line.actor_kind, line.actor_id) == ("attendee", life.number.id)


def test_a_wrong_day_keeps_what_was_typed(named, life):
    said = {"name": NAME, "birth": "属羊", "employer": "雁城新能源", "gender": "", "degree": "", "seen_at": "x"}

    answer = named.post(
        f"/my/data/{life.person.id}/record", data={**said, "seen_at": life.person.updated_at.isoformat()}
    )

    assert answer.status_code == 422
    assert "雁城新能源" in answer.text


def test_the_copy_holds_everything_but_officials_and_other_people(named, session, life):
    file = named.post(f"/my/data/{life.person.id}/copy.zip")

    archive = zipfile.ZipFile(io.BytesIO(file.data))
    assert archive.testzip() is None
    data = json.loads(archive.read("my-data.json"))
    page = archive.read("my-data.html").decode()
    assert set(data["record"]["reached_at"]) == {PHONE, MAIL}
    assert data["record"]["identity_number"] == IDENTITY
    assert sorted(one["event"] for one in data["registrations"]) == sorted([life.past.title, life.coming.title])
    assert [len(one["answers"]) for one in data["requests"]] == [1, 0]
    assert (len(data["visits"]), len(data["who_looked"]), len(data["consents"])) == (2, 2, 2)
    assert len(data["messages"]) > 2
    whole = page + json.dumps(data, ensure_ascii=False)
    secret = [life.organiser.name, life.leader.name, life.colleague.name, "家里老人住院", "是引进人才"]
    assert [words for words in secret if words in whole] == []
    assert "学位已满" in page


def test_erasing_says_what_goes_takes_two_steps_and_can_be_called_off(me, session, life):
    address = f"/my/data/{life.person.id}/erase"
    me.post(f"/my/data/{life.person.id}/name?to=erase", data={"name": NAME})

    page = text_of(me.get(address))
    unsure = me.post(address, data={})
    sure = posted(me, address, sure="y")
    told = session.scalars(sa.select(Message).where(Message.kind == "erasure_waits")).all()
    off = posted(me, f"{address}/call-off")

    assert f"让出名额：{life.coming.title}" in page
    assert "停办：" in page
    assert unsure.status_code == 422
    assert "您的资料将在" in text_of(sure)
    assert {message.recipient for message in told} == {PHONE, MAIL}
    assert "一切照旧" in text_of(off)
    assert session.scalars(sa.select(Erasure)).one().state is ErasureState.CALLED_OFF


def test_behind_a_shared_number_nobody_opens_or_erases_a_colleague(me, session, life):
    shared(session, life)

    mine = me.get("/my/data/").text
    pages = [me.get(f"/my/data/{life.colleague.id}/{page}") for page in ("record", "copy", "name")]
    copied = me.post(f"/my/data/{life.colleague.id}/copy.zip")
    erased = posted(me, f"/my/data/{life.colleague.id}/erase", sure="y")

    assert f"/my/data/{life.colleague.id}/record" not in mine
    assert [page.status_code for page in (*pages, copied)] == [403] * 4
    assert "办公室会先问" in text_of(erased)
    assert session.scalars(sa.select(Erasure)).one().state is ErasureState.AT_THE_OFFICE


def test_through_a_shared_number_only_what_was_given_through_it_is_seen(me, session, life):
    other = a_contact_point()
    people.give_consent(person=life.colleague, purpose="request", contact_point=other, about="case:0", now=clock.now())
    shared(session, life)
    theirs = session.scalars(sa.select(Consent).where(Consent.person_id == life.colleague.id)).one()

    assert f"consent-{theirs.id}" not in me.get(f"/my/data/{life.colleague.id}/consents").text
    assert me.post(f"/my/data/consents/{theirs.id}/withdraw").status_code == 404


def test_somebody_elses_data_do_not_exist(me, session, city):
    stranger = a_person(organisation=city.lead_organisation, at=a_contact_point())
    addresses = [f"/my/data/{stranger.id}/{page}" for page in ("looks", "consents", "record", "copy", "erase", "name")]

    assert [me.get(address).status_code for address in addresses] == [404] * 6
