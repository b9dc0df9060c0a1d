"""Forms of the tree and its accounts."""

from collections.abc import Iterable, Sequence

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.organisations.models import Account, Installation, Organisation
from outreach.organisations.queries import Branch
from outreach.organisations.rules import ORGANISATION_KINDS, ROLES, OrganisationKind, Role, brand
from outreach.web.forms import Form
from outreach.web.language import LANGUAGES

OWN = "own"
SWATCHES = (
    (brand.DEFAULT, _l("Lake")),
    ("#2b6141", _l("Pine")),
    ("#1f4e8c", _l("Sky")),
    ("#643f78", _l("Plum")),
    ("#7d4a3a", _l("Brick")),
    ("#9c2f3f", _l("Pomegranate")),
)


class LookForm(Form):
    """What every page says of the city and wears."""

    city_name = StringField(_l("City"), validators=[InputRequired(_l("Please write the city's name.")), Length(max=60)])
    language = RadioField(
        _l("Language of first sight"),
        choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()],
        default="zh_Hans_CN",
    )
    colour = RadioField(
        _l("The city's colour"),
        choices=[SelectChoice(value, word) for value, word in (*SWATCHES, (OWN, _l("Another one")))],
        default=brand.DEFAULT,
    )
    own_colour = StringField(_l("Your colour"), default=brand.DEFAULT, validators=[Length(max=7)])

    @property
    def brand_colour(self) -> str:
        """The chosen colour, checked.

        :raises NotAColour: if the own one is none
        :raises ColourTooPale: if white text on it could not be read
        """
        return brand.checked_colour(self.own_colour.data if self.colour.data == OWN else self.colour.data)


class CityForm(LookForm):
    """What can be changed of a city after its set-up."""

    picture = FileField(_l("Your own mark"))
    kept_mark = HiddenField()
    without_mark = BooleanField(_l("Show the geese again instead of the own mark"))
    office_address = StringField(_l("Where the office is"), validators=[Length(max=200)])
    office_phone = StringField(_l("Telephone of the office"), validators=[Length(max=60)])
    office_hours = StringField(_l("When somebody is there"), validators=[Length(max=120)])

    @classmethod
    def showing(cls, installation: Installation) -> "CityForm":
        """Return the form as the city stands."""
        taken = any(installation.brand_colour == value for value, _ in SWATCHES)
        return cls(
            data={
                "city_name": installation.city_name,
                "language": installation.language,
                "colour": installation.brand_colour if taken else OWN,
                "own_colour": installation.brand_colour,
                "kept_mark": installation.mark.digest if installation.mark else "",
                "office_address": installation.office_address,
                "office_phone": installation.office_phone,
                "office_hours": installation.office_hours,
            }
        )


class OrganisationForm(Form):
    """A body of the tree."""

    name = StringField(_l("Full name"), validators=[InputRequired(_l("Please write the full name.")), Length(max=200)])
    short_name = StringField(
        _l("Short name"), validators=[InputRequired(_l("Please write the short name.")), Length(max=60)]
    )
    kind = SelectField(_l("Kind"), validators=[InputRequired(_l("Please choose what sort of unit it is."))])
    parent = SelectField(_l("Belongs to"), coerce=int)

    def offer(self, parents: Iterable[Branch], *, organisation: Organisation | None) -> None:
        """Fill the lists: every kind but the lead office's, and the units it may stand under.

        The lead office keeps its kind and has no parent.
        """
        is_lead = organisation is not None and organisation.parent_id is None
        kinds = (
            [OrganisationKind.LEAD]
            if is_lead
            else [each for each in ORGANISATION_KINDS if each is not OrganisationKind.LEAD]
        )
        self.kind.choices = [SelectChoice(kind.value, gettext(kind.label)) for kind in kinds]
        if is_lead:
            del self.parent
            return
        self.parent.choices = units(
            branch
            for branch in parents
            if organisation is None or not branch.organisation.path.startswith(organisation.path)
        )


class AccountForm(Form):
    """Somebody who works here, and what they do where."""

    name = StringField(_l("Name"), validators=[InputRequired(_l("Please write the name.")), Length(max=120)])
    organisation = SelectField(_l("Unit"), coerce=int)
    position = StringField(_l("Position"), validators=[Length(max=120)])
    phone = StringField(_l("Mobile number"), validators=[Length(max=40)])
    email = StringField(_l("Mail address"), validators=[Length(max=254)])
    username = StringField(_l("Username"), validators=[Length(max=40)])
    roles = SelectMultipleField(_l("Roles"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput())

    def offer(self, branches: Iterable[Branch]) -> None:
        """Fill the lists: the units whose people the viewer administers, and every role."""
        self.organisation.choices = units(branches)
        self.roles.choices = [SelectChoice(role.value, gettext(label)) for role, label in ROLES.items()]

    def roles_held_at(self, organisation: Organisation, account: Account | None) -> list[tuple[Role, Organisation]]:
        """Return the ticked roles at the person's own unit, and those they hold elsewhere, which stay."""
        elsewhere: Sequence[tuple[Role, Organisation]] = []
        if account is not None:
            elsewhere = [
                (grant.role, grant.organisation)
                for grant in account.grants
                if grant.organisation_id not in {account.organisation_id, organisation.id}
            ]
        return [*((Role(value), organisation) for value in self.roles.data), *elsewhere]


def units(branches: Iterable[Branch]) -> list[SelectChoice]:
    """Return choices of a list of units, each indented by where it stands in the tree."""
    return [
        SelectChoice(branch.organisation.id, "\u3000" * branch.depth + branch.organisation.short_name)
        for branch in branches
    ]
