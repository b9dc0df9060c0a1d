"""Standard answers and the documents they rest on: keeping, choosing, citing, and who may."""

import pytest
import sqlalchemy as sa

from outreach.cases import operations, queries
from outreach.cases.models import StandardAnswer
from outreach.cases.rules.answers import AnswerKind
from outreach.cases.rules.asking import Topic
from outreach.cases.rules.standard import (
    DocumentMissing,
    LinkOfAnotherKind,
    LinkOfNoRule,
    NothingToTakeOver,
    StandardChangedMeanwhile,
    StandardText,
    StandardTitleMissing,
    StandardUnknown,
    check,
    check_link,
    cited,
)
from outreach.kernel import clock
from outreach.kernel.database import db
from outreach.organisations.rules import Role
from tests.cases.conftest import answer_of
from tests.conftest import NOW
from tests.factories import a_standard_answer, an_account, signed_in

MEASURES = {"document": "义务教育入学办法", "number": "雁教发〔2025〕8 号", "article": "第六条"}


@pytest.fixture
def standard(city):
    """What 市教育局 keeps about schooling, with its document."""
    return a_standard_answer(
        unit=city.schools, by=city.handler, topic=Topic.SCHOOLING, link="https://edu.example/8", **MEASURES
    )


def test_a_document_is_cited_with_its_number_and_article():
    assert cited(StandardText("x", **MEASURES)) == "《义务教育入学办法》（雁教发〔2025〕8 号）第六条"
    assert cited(StandardText("x", document="《办法》")) == "《办法》"
    assert cited(StandardText("x", text="只有话")) is None


@pytest.mark.parametrize(
    ("kept", "refusal"),
    [
        (StandardText("", text="话"), StandardTitleMissing),
        (StandardText("题"), NothingToTakeOver),
        (StandardText("题", text="话", number="8 号"), DocumentMissing),
        (StandardText("题", text="话", link="https://a.example"), DocumentMissing),
        (StandardText("题", document="办法", link="ftp://a.example"), LinkOfAnotherKind),
    ],
)
def test_what_cannot_be_chosen_or_taken_over_is_refused(kept, refusal):
    with pytest.raises(refusal):
        check(kept)


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "//a.example", "a.example", "https://", "http:// a", "https:/a"]
)
def test_a_link_of_another_kind_is_refused(link):
    with pytest.raises(LinkOfAnotherKind):
        check_link(link)


def test_http_and_https_are_links_however_they_are_written():
    for link in ("https://a.example/b?c#d", "HTTP://a.example", "https://政策.example/办法", None, ""):
        check_link(link)


def test_the_database_takes_no_other_link_either(city, standard):
    with pytest.raises(sa.exc.IntegrityError), db.session.begin_nested():
        db.session.execute(sa.update(StandardAnswer).values(rule_link="javascript:alert(1)"))
    operations.change_standard(
        standard=standard,
        kept=StandardText("题", document="办法", link="HTTPS://a.example"),
        version=standard.version,
        by=city.handler.actor,
        now=NOW,
    )
    db.session.flush()


def test_offered_are_those_of_the_unit_and_the_intake_desk_for_the_topic(city, accepted, standard):
    everywhere = a_standard_answer(unit=city.office, by=city.organiser, title="联系方式")
    a_standard_answer(unit=city.schools, by=city.handler, topic=Topic.HOUSING)
    a_standard_answer(unit=city.housing, by=city.other_handler, topic=Topic.SCHOOLING)
    retired = a_standard_answer(unit=city.schools, by=city.handler)
    operations.retire_standard(standard=retired, retired=True, version=retired.version, by=city.handler.actor, now=NOW)
    db.session.flush()

    assert queries.choosable_for(accepted) == [standard, everywhere]
    with pytest.raises(StandardUnknown):
        queries.chosen_for(accepted, retired.id)


def test_the_history_keeps_what_was_said_before(city, standard):
    version = standard.version
    operations.change_standard(
        standard=standard, kept=StandardText("新题", text="新话"), version=version, by=city.handler.actor, now=NOW
    )
    db.session.flush()

    [(changed, who), (kept, _)] = queries.past_of_standard(standard)
    assert (kept.act, changed.act, who) == ("standard_answer_kept", "standard_answer_changed", "王浩")
    assert "按实际居住地就近登记。" in changed.words.text
    assert "https://edu.example/8" in changed.words.text
    with pytest.raises(StandardChangedMeanwhile):
        operations.change_standard(
            standard=standard, kept=StandardText("别题", text="话"), version=version, by=city.handler.actor, now=NOW
        )


def test_choosing_puts_words_rule_and_link_into_the_form_and_sends_nothing(client, city, accepted, standard):
    desk = signed_in(client, city.handler)
    assert "就近入学" in desk.get(f"/desk/requests/{accepted.id}").text

    page = desk.post(
        f"/desk/requests/{accepted.id}/take-over",
        data={"ReplyForm-version": accepted.version, "ReplyForm-text": "您好。", "standard": standard.id},
    )

    assert page.status_code == 200
    assert 'value="《义务教育入学办法》（雁教发〔2025〕8 号）第六条"' in page.text
    assert 'value="https://edu.example/8"' in page.text
    assert "您好。" in page.text
    assert accepted.answers == []


def test_a_rule_typed_already_stays(client, city, accepted, standard):
    page = signed_in(client, city.handler).post(
        f"/desk/requests/{accepted.id}/take-over",
        data={"ReplyForm-version": accepted.version, "ReplyForm-rule": "我写的规定", "standard": standard.id},
    )

    assert 'value="我写的规定"' in page.text
    assert 'value="https://edu.example/8"' not in page.text


def test_the_person_is_shown_the_rule_and_its_link(client, city, accepted):
    answer_of(city, accepted, clock.now(), rule="《办法》第六条", rule_link="https://edu.example/8")
    client.post(f"/r/{accepted.token}/open")

    page = client.get(f"/r/{accepted.token}").text

    assert "《办法》第六条" in page
    assert '<a href="https://edu.example/8" rel="noopener noreferrer">' in page


def test_a_link_without_a_rule_or_of_another_kind_is_refused_beside_its_field(client, city, accepted):
    desk = signed_in(client, city.handler)
    for rule, link in (("", "https://edu.example"), ("《办法》", "javascript:alert(1)")):
        page = desk.post(
            f"/desk/requests/{accepted.id}/reply",
            data={
                "ReplyForm-version": accepted.version,
                "ReplyForm-kind": "solved",
                "ReplyForm-text": "可以。",
                "ReplyForm-rule": rule,
                "ReplyForm-link": link,
            },
        )
        assert page.status_code == 422
        assert 'aria-invalid="true"' in page.text
        assert link in page.text
    with pytest.raises(LinkOfNoRule):
        answer_of(city, accepted, NOW, kind=AnswerKind.SOLVED, rule_link="https://edu.example")


def test_a_link_waits_with_the_draft_and_is_erased_with_the_words(city, accepted):
    head = an_account("高局", organisation=city.schools, roles=[Role.APPROVER])
    operations.want_approval(unit=city.schools, wanted=True, by=city.organiser.actor, now=NOW)
    answer_of(city, accepted, NOW, rule="《办法》", rule_link="https://edu.example")
    assert accepted.draft.rule_link == "https://edu.example"
    operations.approve_answer(case=accepted, version=accepted.version, by=head.actor, now=NOW)
    assert accepted.answer.rule_link == "https://edu.example"

    operations.erase_words(cases=[accepted])

    assert accepted.answer.rule_link is None


def test_the_desk_of_a_unit_keeps_changes_and_retires(client, city):
    desk = signed_in(client, city.handler)
    made = desk.post(
        "/desk/requests/standard/new",
        data={"unit": city.schools.id, "topic": "schooling", "title": "转学", "text": "三步。"},
    )
    one = db.session.scalars(sa.select(StandardAnswer)).one()
    page = f"/desk/requests/standard/{one.id}"
    assert (made.status_code, one.unit, one.topic) == (303, city.schools, Topic.SCHOOLING)

    assert "转学" in desk.get("/desk/requests/standard").text
    changed = desk.post(page, data={"version": one.version, "topic": "", "title": "转学", "text": "两步。"})
    assert (changed.status_code, one.topic, one.text) == (303, None, "两步。")
    stale = desk.post(page, data={"version": 1, "topic": "", "title": "转学", "text": "一步。"})
    assert stale.status_code == 422
    assert "一步。" in stale.text

    assert desk.post(f"{page}/retire", data={"version": one.version}).status_code == 303
    assert one.retired_at is not None
    assert "三步。" in desk.get(page).text


@pytest.mark.parametrize(
    "wrong",
    [{"title": ""}, {"title": "长" * 121}, {"text": ""}, {"topic": "no"}, {"unit": "0"}, {"link": "javascript:x"}],
)
def test_what_is_wrong_stands_beside_its_field(client, city, wrong):
    data = {"unit": city.schools.id, "topic": "", "title": "转学", "text": "三步。"} | wrong

    page = signed_in(client, city.handler).post("/desk/requests/standard/new", data=data)

    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text
    assert db.session.scalar(sa.select(sa.func.count(StandardAnswer.id))) == 0


def test_another_unit_sees_none_of_it(client, city, standard):
    desk = signed_in(client, city.other_handler)

    assert desk.get(f"/desk/requests/standard/{standard.id}").status_code == 404
    assert desk.post(f"/desk/requests/standard/{standard.id}/retire").status_code == 404
    assert standard.title not in desk.get("/desk/requests/standard").text
    made = desk.post(
        "/desk/requests/standard/new", data={"unit": city.schools.id, "topic": "", "title": "转学", "text": "三步。"}
    )
    assert made.status_code == 422
