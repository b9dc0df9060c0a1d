"""Earlier answers beside the form: which are like enough, who may read them, and taking their words over."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.cases import operations, queries
from outreach.cases.rules.asking import Topic
from outreach.cases.rules.likeness import (
    ALIKE,
    COMPARED,
    NAME_LEFT_OUT,
    EarlierAnswerUnknown,
    likeness,
    most_alike,
    pairs_of,
    taken_over,
    without_person,
)
from outreach.kernel.database import db
from tests.conftest import NOW
from tests.factories import a_case, a_contact_point, a_person, signed_in

SCHOOL = "江畔路小学可以就近入学，4 月 20 日登记。"


def answered(city, *, text=SCHOOL, unit=None, by=None, **values):
    """Return a request that was answered by 市教育局, or another unit."""
    case = a_case(intake=city.office, now=NOW, **values)
    unit, by = unit or city.schools, by or city.handler
    operations.assign(case=case, unit=unit, version=case.version, by=city.organiser.actor, now=NOW)
    operations.accept(case=case, version=case.version, by=by.actor, now=NOW)
    operations.reply(
        case=case,
        kind="solved",
        text=text,
        rule=None,
        promised_on=None,
        version=case.version,
        by=by.actor,
        now=NOW,
    )
    return case


def test_what_shares_its_phrases_is_alike():
    school = pairs_of("孩子明年上小学", "女儿明年六岁了，想就近上学。")
    other = pairs_of("儿子上小学的事", "儿子六岁，想在附近就近上学。")
    flat = pairs_of("租人才公寓", "单位附近租房太贵。")

    assert likeness(school, school) == 1
    assert likeness(school, other) > ALIKE > likeness(school, flat)
    assert likeness(frozenset(), frozenset()) == 0
    assert most_alike(school, {"flat": flat, "other": other, "same": school}) == ["same", "other"]


@given(st.frozensets(st.text(max_size=2)), st.frozensets(st.text(max_size=2)))
def test_likeness_is_the_same_from_both_sides_and_between_0_and_1(one, other):
    assert 0 <= likeness(one, other) == likeness(other, one) <= 1


def test_names_and_mobile_numbers_are_left_out():
    assert without_person("林知遥您好，请打 19912340036 或 0571-87001234", ["林知遥", ""]) == (
        f"{NAME_LEFT_OUT}您好，请打 {NAME_LEFT_OUT} 或 0571-87001234"
    )


@given(st.text(), st.text(min_size=1))
def test_what_was_typed_is_never_lost_by_taking_over(typed, text):
    whole = taken_over(typed, text)

    assert whole.startswith(typed.rstrip())
    assert text.strip() in whole
    assert taken_over(whole, text) == whole.rstrip()


def test_the_three_most_alike_of_the_topic_are_offered_best_first(city, accepted):
    near = answered(city, title="孩子明年上小学", words="女儿六岁，想就近上学。")
    others = [answered(city, title=f"孩子上小学，第 {number} 问") for number in range(3)]
    answered(city, title=accepted.title, words=accepted.words, topic=Topic.HOUSING)
    far = answered(city, title="国际课程", words="有没有双语班？")

    offered = [one.case_id for one in queries.earlier_answers(city.handler, accepted)]

    assert len(offered) == 3
    assert offered[0] == near.id
    assert far.id not in offered
    assert set(offered[1:]) <= {case.id for case in others}


def test_only_answers_that_the_viewer_may_see_are_offered(city, accepted):
    here, there = answered(city), answered(city, unit=city.housing, by=city.other_handler)

    offered = [one.case_id for one in queries.earlier_answers(city.handler, accepted)]
    by_the_desk = {one.case_id for one in queries.earlier_answers(city.organiser, accepted)}

    assert offered == [here.id]
    assert by_the_desk == {here.id, there.id}
    with pytest.raises(EarlierAnswerUnknown):
        queries.earlier_answer(city.handler, accepted, there.answer.id)


def test_an_erased_request_is_not_offered(city, accepted):
    gone = answered(city)
    operations.erase_words(cases=[gone])

    assert queries.earlier_answers(city.handler, accepted) == []


def test_the_latest_answer_is_offered_without_the_name_of_who_asked(city, accepted):
    number = a_contact_point()
    person = a_person("欧阳若兰", organisation=city.office, at=number)
    answered(city, person=person, contact_point=number, title="欧阳若兰的孩子上小学", text="欧阳若兰您好：可以。")

    offered = queries.earlier_answers(city.handler, accepted)

    assert [(one.title, one.text) for one in offered] == [
        (f"{NAME_LEFT_OUT}的孩子上小学", f"{NAME_LEFT_OUT}您好：可以。")
    ]


def test_the_button_puts_the_words_below_what_was_typed_and_sends_nothing(client, city, accepted):
    earlier = answered(city, text="江畔路小学有学位。")
    desk = signed_in(client, city.handler)
    assert "江畔路小学有学位。" in desk.get(f"/desk/requests/{accepted.id}").text

    page = desk.post(
        f"/desk/requests/{accepted.id}/take-over",
        data={
            "ReplyForm-version": accepted.version,
            "ReplyForm-text": "已经写好的一句。",
            "answer": earlier.answer.id,
        },
    )

    assert page.status_code == 200
    assert "已经写好的一句。\r\n\r\n江畔路小学有学位。" in page.text.replace("\n", "\r\n").replace("\r\r", "\r")
    assert "data-draft-unsent" in page.text
    assert accepted.answers == []


def test_an_answer_that_is_not_offered_is_refused_and_nothing_typed_is_lost(client, city, accepted):
    there = answered(city, unit=city.housing, by=city.other_handler, text="住建局的话。")
    desk = signed_in(client, city.handler)

    for sent in (there.answer.id, "x", ""):
        page = desk.post(
            f"/desk/requests/{accepted.id}/take-over",
            data={"ReplyForm-version": accepted.version, "ReplyForm-text": "已经写好的一句。", "answer": sent},
        )

        assert page.status_code == 422
        assert "已经写好的一句。" in page.text
        assert "住建局的话" not in page.text


def test_another_unit_may_not_take_over(client, city, accepted):
    desk = signed_in(client, city.other_handler)

    assert desk.post(f"/desk/requests/{accepted.id}/take-over").status_code == 404


def test_it_takes_as_many_statements_for_many_as_for_few(city, accepted, statements):
    answered(city)
    db.session.expire_all()
    queries.earlier_answers(city.handler, accepted)

    def taken():
        db.session.expire_all()
        with statements() as counted:
            queries.earlier_answers(city.handler, accepted)
        return len(counted)

    few = taken()
    for _ in range(4):
        answered(city)

    assert taken() == few


def test_comparing_as_many_as_are_compared_takes_little_time():
    words = "女儿明年六岁了，想就近上学，请问怎么登记、要带什么、什么时候知道结果？" * 10
    began = time.process_time()
    most_alike(pairs_of("孩子", words), {key: pairs_of(f"第 {key} 件", words) for key in range(COMPARED)})

    assert time.process_time() - began < 0.5
