"""What the macros of templates/components draw, where they count or choose."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from outreach.kernel.paging import Page
from outreach.web.forms import Form


class SignUp(Form):
    """A field of each sort that the macros draw by hand."""

    name = StringField("姓名", validators=[InputRequired("还没填姓名")])
    topic = StringField("研究方向")
    group = RadioField(
        "身份",
        choices=[SelectChoice("1", "博士"), SelectChoice("2", "企业代表")],
        validators=[InputRequired("请选一项")],
    )
    about = SelectMultipleField("类别", choices=[SelectChoice("h", "住房"), SelectChoice("s", "入学")])
    agree = BooleanField("我同意", validators=[InputRequired("不同意就不能报名")])


@pytest.fixture
def draw(app: Flask) -> Callable[..., str]:
    """Render a line of template with the macros it imports, inside a request for an address."""

    def drawn(source: str, *, address: str = "/", **values: object) -> str:
        with app.test_request_context(address):
            return app.jinja_env.from_string(source).render(**values)

    return drawn


def sign_up(app: Flask, **typed: object) -> SignUp:
    """Return the form as it stands after it was sent."""
    with app.test_request_context("/", method="POST", data=MultiDict(typed)):
        form = SignUp(meta={"csrf": False})
        form.validate()
        return form


FIELD = '{% from "components/form.html" import field %}'


def test_a_field_that_is_wrong_says_so_to_eyes_and_ears_and_keeps_what_was_typed(app: Flask, draw) -> None:
    form = sign_up(app, name="", topic="固态<电池>")

    name = draw(FIELD + "{{ field(form.name, hint='身份证上的') }}", form=form)
    topic = draw(FIELD + "{{ field(form.topic) }}", form=form)

    assert re.search(r'<label class="o-label" for="name">姓名</label>', name)
    box = re.search(r"<input[^>]*>", name)[0]
    assert 'aria-invalid="true"' in box
    assert 'aria-describedby="name-error name-hint"' in box
    assert 'aria-required="true"' in box
    assert re.search(r'id="name-error">.*还没填姓名</span>', name, re.DOTALL)
    assert 'id="name-hint">身份证上的</span>' in name
    assert "<small>选填</small>" in topic
    assert 'value="固态&lt;电池&gt;"' in topic
    assert "aria-invalid" not in topic


def test_cards_keep_the_choice_and_close_what_cannot_be_chosen(app: Flask, draw) -> None:
    form = sign_up(app, group="2")

    cards = draw(
        FIELD
        + "{{ field(form.group, kind='picks', notes={'1': '任何专业'}, ends={'1': '余 6'}, disabled_values=['1']) }}",
        form=form,
    )

    first, second = re.findall(r"<input[^>]*>", cards)
    assert "disabled" in first
    assert "checked" not in first
    assert "checked" in second
    assert "disabled" not in second
    assert "<b>博士</b><small>任何专业</small>" in cards
    assert '<span class="o-pick-end">余 6</span>' in cards


def test_boxes_of_a_group_keep_every_choice(app: Flask, draw) -> None:
    form = sign_up(app, about="s")

    boxes = draw(FIELD + "{{ field(form.about, kind='checks') }}", form=form)

    assert [("checked" in box) for box in re.findall(r"<input[^>]*>", boxes)] == [False, True]


def test_the_summary_leads_to_each_field_that_is_wrong(app: Flask, draw) -> None:
    form = sign_up(app, topic="电池")

    summary = draw('{% from "components/form.html" import error_summary %}{{ error_summary(form) }}', form=form)

    assert "有 3 处要改一下" in summary
    assert re.findall(r'href="#(\w+)"', summary) == ["name", "group", "agree"]


@pytest.mark.parametrize(
    ("address", "call", "leads_to"),
    [
        ("/desk/x?q=林&page=abc", "here(state='late')", "/desk/x?q=%E6%9E%97&amp;state=late"),
        ("/desk/x?state=late&state=wait&q=", "here(state=None)", "/desk/x"),
        ("/desk/x?unit=1&unit=2", "here(unit=[3, 4])", "/desk/x?unit=3&amp;unit=4"),
        ("/desk/x?_external=1&_scheme=javascript", "here(a=1)", "/desk/x?_external=1&amp;_scheme=javascript&amp;a=1"),
    ],
)
def test_a_filter_changes_its_own_part_of_the_address_only(draw, address: str, call: str, leads_to: str) -> None:
    shown = draw('{% from "components/table.html" import here %}{{ ' + call + " }}", address=address)

    assert shown.strip() == leads_to


def test_the_pager_keeps_the_filters_and_is_silent_on_a_list_of_one_page(draw) -> None:
    source = '{% from "components/table.html" import pager %}{{ pager(page) }}'

    middle = draw(source, address="/desk/x?state=late", page=Page(items=[1], previous="before", next="after"))
    only = draw(source, page=Page(items=[1], previous=None, next=None))

    assert re.findall(r'href="(/[^"]+)"', middle) == [
        "/desk/x?state=late&amp;page=before",
        "/desk/x?state=late&amp;page=after",
    ]
    assert only.strip() == ""


@pytest.mark.parametrize(
    ("parts", "most", "widths"),
    [
        ("[(14, 'brand'), (3, 'soft'), (2, 'wait')]", 20, ["70.00%", "15.00%", "10.00%"]),
        ("[(9, 'brand'), (4, 'wait')]", 10, ["90.00%", "10.00%"]),
        ("[(0, 'brand')]", 10, []),
        ("[(3, 'brand')]", 0, []),
    ],
)
def test_a_bar_is_as_long_as_its_parts_and_never_longer_than_its_place(
    draw, parts: str, most: int, widths: list[str]
) -> None:
    bar = draw('{% from "components/chart.html" import parts_bar %}{{ parts_bar(' + f"{parts}, {most}) }}}}")

    assert re.findall(r' width="([^"]+)"', bar) == widths


@pytest.mark.parametrize(
    ("begun", "due", "circle", "late"),
    [(11, -4, 72, True), (3, 2, 120, False), (3, 12, 200, False), (30, -20, 8, True), (0, 0, 104, False)],
)
def test_a_promise_stands_where_it_is_due_or_at_the_edge(draw, begun: int, due: int, circle: int, late: bool) -> None:
    slip = draw('{% from "components/progress.html" import slip %}{{ slip(' + f"{begun}, {due}) }}}}")

    assert re.search(r'cx="(\d+)"', slip)[1] == str(circle)
    assert ("o-f-late" in slip) is late
    assert all(int(width) > 0 for width in re.findall(r'width="(\d+)"', slip))


@pytest.mark.parametrize(
    ("left", "capacity", "shown"),
    [
        (6, 20, "6<small>/ 20</small>"),
        (2, 10, "2<small>/ 10</small>"),
        (0, 12, "已满"),
        (-1, 12, "已满"),
        (None, None, "不限"),
    ],
)
def test_places_say_how_many_are_left_or_that_there_are_none(
    draw, left: int | None, capacity: int | None, shown: str
) -> None:
    groups = [{"name": "博士", "left": left, "capacity": capacity}]

    assert shown in draw('{% from "components/public.html" import quota %}{{ quota(groups) }}', groups=groups)


@pytest.mark.parametrize(
    ("place", "length", "people"), [(3, 5, "ddynn"), (1, 1, "y"), (40, 60, "dddynnn"), (60, 60, "ddddddy")]
)
def test_the_queue_shows_those_around_you(draw, place: int, length: int, people: str) -> None:
    queue = draw('{% from "components/public.html" import queue %}' + f"{{{{ queue({place}, {length}) }}}}")

    assert "".join(name[0] for name in re.findall(r'<g class="(\w+)">', queue)) == people
    assert f"候补 {length} 人，您是第 {place} 位" in queue
