"""The office's pages of personal data."""

import re

import pytest
import sqlalchemy as sa

from outreach.organisations.rules import Role
from outreach.people.models import ConsentText, Look
from outreach.people.rules import LOOKS
from outreach.privacy import operations
from outreach.privacy.models import Erasure, RetentionRule
from outreach.privacy.rules import ErasureState, Kept, Scope
from tests.conftest import NOW
from tests.factories import an_account, an_organisation, signed_in
from tests.privacy.conftest import NAME, PHONE


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)).split())


@pytest.fixture
def organiser(client, life):
    return signed_in(client, life.organiser)


@pytest.fixture
def admin(client, life):
    return signed_in(client, an_account("管理员", organisation=life.office, roles=[Role.ADMINISTRATOR]))


def wished(session, life):
    wish = operations.ask_to_be_erased(
        person=life.person, scope=Scope(alone=False), contact_point=life.number, by=life.by, now=NOW
    )
    session.commit()
    return wish


def test_a_wish_through_a_shared_number_is_on_the_desk_and_goes_on_with_a_word_how(organiser, session, life):
    wish = wished(session, life)

    listed = text_of(organiser.get("/desk/privacy/"))
    empty = organiser.post(f"/desk/privacy/erasures/{wish.id}", data={"how": " "})
    done = organiser.post(f"/desk/privacy/erasures/{wish.id}", data={"how": "本人到办公室，出示了身份证"})

    assert "1 位等着向本人确认" in listed
    assert empty.status_code == 422
    assert done.status_code == 303
    assert (wish.state, wish.account_id) == (ErasureState.WAITING, life.organiser.id)


def test_a_wish_is_refused_with_a_reason(organiser, session, life):
    wish = wished(session, life)

    organiser.post(f"/desk/privacy/erasures/{wish.id}", data={"reason": "本人说没有提过"})

    assert (wish.state, wish.how) == (ErasureState.REFUSED, "本人说没有提过")


def test_a_consent_is_proved_with_its_text_and_the_number_masked(organiser, life):
    page = organiser.get(f"/desk/privacy/people/{life.person.id}")

    assert "您留下的姓名、手机号（或邮箱）和报名信息" in page.text
    assert "199****5678" in page.text
    assert PHONE.removeprefix("+86") not in page.text


def test_whoever_comes_in_person_is_erased_from_the_desk(organiser, session, life):
    organiser.post(f"/desk/privacy/people/{life.person.id}", data={"how": "本人来电，核对了单位和职务"})

    assert session.scalars(sa.select(Erasure)).one().state is ErasureState.WAITING


def test_the_limit_of_looks_is_said_clearly_and_kept_over_a_refusal(organiser, session, life):
    address = f"/desk/people/{life.person.id}/in-full"
    what = f"contact-{life.person.contacts[0].id}"
    before = LOOKS[0].most - session.scalar(sa.select(sa.func.count()).select_from(Look))
    answers = [organiser.post(address, data={"what": what, "reason": "打电话"}) for _ in range(before)]
    over = organiser.post(address, data={"what": what, "reason": "打电话"})

    assert {"199 1234 5678" in answer.text for answer in answers} == {True}
    assert (over.status_code, "199 1234 5678" in over.text) == (422, False)
    assert session.scalar(sa.select(sa.func.count()).select_from(Look)) == LOOKS[0].most
    assert "一小时最多看 20 个完整号码" in text_of(over)


def test_a_new_version_is_seen_before_it_is_published_and_old_ones_stay(admin, session, life):
    said = {"chinese": "新的说法。\n只留一年。", "english": "New words.", "kept_months": "12"}

    seen = admin.post("/desk/privacy/texts/registration", data={**said, "act": "look"})
    before = session.scalar(sa.select(sa.func.max(ConsentText.version)))
    published = admin.post("/desk/privacy/texts/registration", data={**said, "act": "publish"})

    assert "发布第 2 版" in text_of(seen)
    assert (before, published.status_code) == (1, 303)
    versions = session.scalars(
        sa.select(ConsentText).where(ConsentText.purpose == "registration").order_by(ConsentText.version)
    ).all()
    assert [text.version for text in versions] == [1, 1, 2, 2]
    assert {text.kept_months for text in versions if text.version == 2} == {12}


def test_a_published_text_cannot_be_changed_even_by_hand(session, life):
    text = session.scalars(sa.select(ConsentText)).first()
    text.text = "别的"

    with pytest.raises(sa.exc.DBAPIError, match="never changed"):
        session.flush()
    session.rollback()


def test_an_unchanged_or_half_text_is_refused_and_what_was_typed_stays(admin, session, life):
    half = admin.post(
        "/desk/privacy/texts/registration", data={"chinese": "只有中文", "english": "", "kept_months": "9"}
    )

    assert half.status_code == 422
    assert "只有中文" in half.text


def test_a_shorter_time_is_shown_before_it_holds(admin, session, life):
    page = admin.get("/desk/privacy/retention")
    looked = admin.post("/desk/privacy/retention/messages", data={"amount": "1", "act": "look"})
    nothing = session.scalars(sa.select(RetentionRule)).all()
    kept = admin.post("/desk/privacy/retention/messages", data={"amount": "1", "act": "keep"})
    too_long = admin.post("/desk/privacy/retention/registrations", data={"amount": "36", "act": "keep"})

    assert "今晚第一次执行" in text_of(page)
    assert "现有数据都没到这个期限" in text_of(looked) or "今晚清理" in text_of(looked)
    assert nothing == []
    assert kept.status_code == 303
    assert [(rule.kind, rule.amount) for rule in session.scalars(sa.select(RetentionRule))] == [(Kept.MESSAGES, 1)]
    assert (too_long.status_code, "24 个月" in text_of(too_long)) == (422, True)


@pytest.mark.parametrize("typed", ["", "半年", "0", "99999999999", "-3"])
def test_a_time_that_is_none_is_refused_beside_its_field(admin, life, typed):
    answer = admin.post("/desk/privacy/retention/looks", data={"amount": typed, "act": "keep"})

    assert answer.status_code == 422


def test_a_countys_administrator_has_no_say_in_what_holds_for_all(client, session, life):
    county = an_organisation("平江县", parent=life.office)
    browser = signed_in(client, an_account(organisation=county, roles=[Role.ADMINISTRATOR]))

    assert [browser.get(f"/desk/privacy/{page}").status_code for page in ("retention", "texts")] == [403, 403]


def test_an_erased_person_is_on_no_desk_page(organiser, session, life):
    operations.erase(person=life.person, by=life.by, now=NOW)
    session.commit()

    assert organiser.get(f"/desk/people/{life.person.id}").status_code == 404
    pages = ["/desk/people/", "/desk/requests/", f"/desk/requests/{life.answered.id}"]
    assert [NAME in organiser.get(page).text for page in pages] == [False] * 3
