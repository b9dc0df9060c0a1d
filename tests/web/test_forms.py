"""What every form of ours does by itself."""

from flask import Flask
from wtforms import StringField
from wtforms.validators import InputRequired

from outreach.web.forms import Form


class NameForm(Form):
    """One required name."""

    name = StringField("Name", validators=[InputRequired("A name, please")])


def test_a_form_checks_its_fields_every_time_it_is_made(app: Flask) -> None:
    with app.test_request_context(method="POST", data={"name": ""}):
        first = NameForm(meta={"csrf": False})
        second = NameForm(meta={"csrf": False})

        assert (first.validate(), first.errors) == (False, {"name": ["A name, please"]})
        assert (second.validate(), second.errors) == (False, {"name": ["A name, please"]})


def test_white_space_around_a_text_is_taken_away(app: Flask) -> None:
    with app.test_request_context(method="POST", data={"name": "\u3000林知遥 "}):
        form = NameForm(meta={"csrf": False})

        assert form.name.data == "林知遥"
