"""What is typed about an event, and about decisions on it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from outreach.events.models import Event
from outreach.events.rules import (
    LONGEST_TITLE,
    MOST_GROUPS,
    MOST_PLACES,
    Direction,
    EventKind,
    EventMode,
    EventPlan,
    GroupPlan,
    Visibility,
    faults,
)
from outreach.organisations.queries import Branch
from outreach.programmes.models import Programme
from outreach.venues.models import Venue
from outreach.web.forms import CountField, Form, MomentField


def _one_of(kind: Any) -> Callable[[], list[tuple[str, str]]]:
    return lambda: [(member.value, gettext(member.label)) for member in kind]


def _id_or_none(value: Any) -> int | None:
    return int(value) if value not in (None, "", "None") else None


class GroupForm(Form):
    """One row of the groups of places. An empty row counts as none."""

    class Meta:
        """A row is part of a form that is protected already."""

        csrf = False

    group_id = HiddenField()
    name = StringField(_l("Group"), validators=[Length(max=40)])
    about = StringField(_l("For whom"), validators=[Length(max=120)])
    capacity = CountField(
        _l("Places"),
        validators=[
            Optional(),
            NumberRange(min=0, max=MOST_PLACES, message=_l("From 0 to 100,000 places.")),
        ],
    )
    reviewed = BooleanField(_l("We look at each registration first"))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed into the row."""
        return not (self.name.data or self.about.data or (self.capacity.raw_data and self.capacity.raw_data[0].strip()))

    def validate_name(self, field: StringField) -> None:
        """Refuse a row with places and no name."""
        if not self.is_empty and not field.data:
            raise ValidationError(gettext("Give the group a name."))

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Check the row; a named group needs a number of places."""
        sound = super().validate(extra_validators)
        if not self.is_empty and self.capacity.data is None and not self.capacity.errors:
            self.capacity.errors = [gettext("How many places?")]
            return False
        return sound

    def plan(self) -> GroupPlan:
        """Return the row as a plan."""
        return GroupPlan(
            id=_id_or_none(self.group_id.data) if (self.group_id.data or "").isdigit() else None,
            name=self.name.data or "",
            about=self.about.data or None,
            capacity=self.capacity.data or 0,
            reviewed=self.reviewed.data,
        )


class EventForm(Form):
    """Everything an organiser writes down about an event."""

    seen = HiddenField()
    organisation = SelectField(_l("Organised by"), coerce=int)
    title = StringField(_l("Title"), validators=[InputRequired(_l("Give it a title.")), Length(max=LONGEST_TITLE)])
    subtitle = StringField(_l("Subtitle"), validators=[Length(max=LONGEST_TITLE)])
    programme_id = SelectField(_l("Programme"), coerce=_id_or_none)
    issue = CountField(
        _l("Issue"), validators=[Optional(), NumberRange(min=1, max=9999, message=_l("From 1 to 9,999."))]
    )
    kind = SelectField(_l("Sort of event"), choices=_one_of(EventKind), default=EventKind.SALON.value)
    mode = RadioField(_l("Mode"), choices=_one_of(EventMode), default=EventMode.ON_SITE.value)
    direction = RadioField(_l("Direction"), choices=_one_of(Direction), default=Direction.IN.value)
    visibility = RadioField(_l("Who sees it"), choices=_one_of(Visibility), default=Visibility.PUBLIC.value)
    venue_id = SelectField(_l("Venue"), coerce=_id_or_none)
    place = StringField(_l("Another place"), validators=[Length(max=200)])
    online_url = StringField(_l("Link for those online"), validators=[Length(max=400)])
    host = StringField(_l("Host"), validators=[Length(max=120)])
    about = TextAreaField(_l("Introduction"), validators=[Length(max=8000)])
    starts_at = MomentField(_l("Starts"), validators=[InputRequired(_l("Say when it starts."))])
    ends_at = MomentField(_l("Ends"), validators=[InputRequired(_l("Say when it ends."))])
    doors_open_at = MomentField(_l("Doors open"))
    registration_opens_at = MomentField(_l("Registration opens"))
    registration_closes_at = MomentField(_l("Registration closes"))
    asks_birth = BooleanField(_l("Ask everybody for their date of birth"))
    groups = FieldList(FormField(GroupForm), label=_l("Groups of places"), max_entries=MOST_GROUPS)

    def offer(self, *, units: Sequence[Branch], programmes: Sequence[Programme], venues: Sequence[Venue]) -> None:
        """Offer these organisations, programmes and venues."""
        if self.organisation is not None:
            self.organisation.choices = [(unit.organisation.id, unit.organisation.short_name) for unit in units]
        self.programme_id.choices = [("", gettext("None")), *((item.id, item.name) for item in programmes)]
        self.venue_id.choices = [("", gettext("Not one of ours")), *((item.id, item.name) for item in venues)]

    def change_rows(self, asked: str) -> None:
        """Add or take away a row of the groups: "add", or the number of the row to take away."""
        if asked == "add" and len(self.groups) < MOST_GROUPS:
            self.groups.append_entry()
        elif asked.isdigit() and int(asked) < len(self.groups.entries):
            del self.groups.entries[int(asked)]

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Check the fields, then the plan they make: everything wrong is said at once."""
        if not super().validate(extra_validators):
            return False
        found = list(faults(self.plan()))
        for fault in found:
            self.refuse(fault)
        return not found

    def plan(self) -> EventPlan:
        """Return what was typed as a plan."""
        mode = EventMode(self.mode.data)
        return EventPlan(
            title=self.title.data or "",
            subtitle=self.subtitle.data or None,
            programme_id=self.programme_id.data,
            issue=self.issue.data,
            kind=EventKind(self.kind.data),
            mode=mode,
            direction=Direction(self.direction.data),
            visibility=Visibility(self.visibility.data),
            venue_id=self.venue_id.data if mode.has_a_place else None,
            place=(self.place.data or None) if mode.has_a_place and self.venue_id.data is None else None,
            online_url=(self.online_url.data or None) if mode is not EventMode.ON_SITE else None,
            host=self.host.data or None,
            about=self.about.data or None,
            starts_at=self.starts_at.data,
            ends_at=self.ends_at.data,
            doors_open_at=self.doors_open_at.data,
            registration_opens_at=self.registration_opens_at.data,
            registration_closes_at=self.registration_closes_at.data,
            asks_birth=self.asks_birth.data,
            groups=tuple(row.form.plan() for row in self.groups.entries if not row.form.is_empty),
        )


def written(event: Event) -> dict[str, Any]:
    """Return what stands in an event, as EventForm takes it."""
    columns = (
        "title", "subtitle", "programme_id", "issue", "venue_id", "place", "online_url", "host", "about",
        "starts_at", "ends_at", "doors_open_at", "registration_opens_at", "registration_closes_at",
        "asks_birth",
    )  # fmt: skip
    enums = ("kind", "mode", "direction", "visibility")
    return {
        **{name: getattr(event, name) for name in columns},
        **{name: getattr(event, name).value for name in enums},
        "seen": str(event.version),
        "groups": [
            {
                "group_id": str(group.id),
                "name": group.name,
                "about": group.about,
                "capacity": group.capacity,
                "reviewed": group.reviewed,
            }
            for group in event.groups
        ],
    }


class DecisionForm(Form):
    """A decision about an event: the version it is about, and the reason where one is needed."""

    seen = IntegerField(validators=[Optional()])
    reason = TextAreaField(_l("Reason"), validators=[Length(max=400)])
