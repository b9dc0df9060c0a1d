"""Roles, what each permits, and the kinds of organisations."""

import re
import unicodedata
from enum import StrEnum

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


class OrganisationKind(StrEnum):
    """What sort of body an organisation is; 条 (departments) and 块 (areas) stand in one tree."""

    LEAD = "lead"
    DEPARTMENT = "department"
    MASS = "mass"
    AREA = "area"
    PARK = "park"
    TOWNSHIP = "township"
    SCHOOL = "school"
    STATION = "station"
    EMPLOYER = "employer"

    @property
    def label(self) -> str:
        """The name of the kind, to be translated."""
        return ORGANISATION_KINDS[self]


ORGANISATION_KINDS = {
    OrganisationKind.LEAD: N_("Lead office"),
    OrganisationKind.DEPARTMENT: N_("Department"),
    OrganisationKind.MASS: N_("Mass organisation"),
    OrganisationKind.AREA: N_("County or district"),
    OrganisationKind.PARK: N_("Industrial park"),
    OrganisationKind.TOWNSHIP: N_("Township"),
    OrganisationKind.SCHOOL: N_("University"),
    OrganisationKind.STATION: N_("Talent station or liaison office"),
    OrganisationKind.EMPLOYER: N_("Employer"),
}


class Permission(StrEnum):
    """What a role allows; where it allows it follows from the organisation the role is held at."""

    ADMINISTER = "administer"  # organisations, accounts, roles, the installation
    CITY_EDIT = "city_edit"  # what every page wears: the city's name, colour, mark and language
    PRIVACY_RULES = "privacy_rules"  # what people are asked to agree to, and how long what is kept
    SMS_PAGE = "sms_page"  # the page that shows what the built-in SMS gateway was given
    PEOPLE_READ = "people_read"
    PEOPLE_EDIT = "people_edit"
    PEOPLE_IMPORT = "people_import"
    PEOPLE_MERGE = "people_merge"  # make one record of two, and two of one again
    PEOPLE_REVEAL = "people_reveal"  # one number in full, with a reason, logged
    PROGRAMME_EDIT = "programme_edit"
    EVENT_READ = "event_read"
    EVENT_EDIT = "event_edit"
    EVENT_APPROVE = "event_approve"
    REGISTRATION_READ = "registration_read"
    REGISTRATION_EDIT = "registration_edit"
    DOOR_RUN = "door_run"
    CASE_REGISTER = "case_register"
    CASE_ASSIGN = "case_assign"  # the intake desk
    CASE_HANDLE = "case_handle"  # a department's desk
    CASE_APPROVE = "case_approve"  # the head of a unit, what its desk answers
    CASE_SUPERVISE = "case_supervise"
    PAIRING_EDIT = "pairing_edit"
    PAIRING_READ = "pairing_read"  # every pairing of the organisation; one's own need no permission
    VISIT_LOG = "visit_log"
    EXPORT = "export"  # lists as files, with a reason, logged; what is in them follows from what may be read
    EXPORT_OVERSEE = "export_oversee"  # who took what out, and why

    @property
    def label(self) -> str:
        """The permission itself; it is not shown to people."""
        return self.value


ONLY_AT_THE_ROOT = frozenset({Permission.CITY_EDIT, Permission.PRIVACY_RULES, Permission.SMS_PAGE})
"""What concerns the whole installation: the gateway's page shows the sign-in codes of everybody, texts hold for all."""


class Role(StrEnum):
    """What somebody does here, held at one organisation and reaching everything below it."""

    ADMINISTRATOR = "administrator"
    ORGANISER = "organiser"
    SUPERVISOR = "supervisor"
    APPROVER = "approver"
    HANDLER = "handler"
    DEPUTY_HANDLER = "deputy_handler"
    LIAISON_OFFICER = "liaison_officer"
    LEADER = "leader"
    SERVICE_OFFICER = "service_officer"
    AMBASSADOR = "ambassador"

    @property
    def label(self) -> str:
        """The name of the role, to be translated."""
        return ROLES[self]


ROLES = {
    Role.ADMINISTRATOR: N_("Administrator"),
    Role.ORGANISER: N_("Organiser"),
    Role.SUPERVISOR: N_("Supervisor"),
    Role.APPROVER: N_("Approver"),
    Role.HANDLER: N_("Handler"),
    Role.DEPUTY_HANDLER: N_("Deputy handler"),
    Role.LIAISON_OFFICER: N_("Liaison officer"),
    Role.LEADER: N_("Leader"),
    Role.SERVICE_OFFICER: N_("Service officer"),
    Role.AMBASSADOR: N_("Ambassador"),
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.ADMINISTER,
            Permission.CITY_EDIT,
            Permission.PRIVACY_RULES,
            Permission.SMS_PAGE,
            Permission.EXPORT,
            Permission.EXPORT_OVERSEE,
        }
    ),
    Role.ORGANISER: frozenset(
        {
            Permission.PEOPLE_READ,
            Permission.PEOPLE_EDIT,
            Permission.PEOPLE_IMPORT,
            Permission.PEOPLE_MERGE,
            Permission.PEOPLE_REVEAL,
            Permission.PROGRAMME_EDIT,
            Permission.EVENT_READ,
            Permission.EVENT_EDIT,
            Permission.EVENT_APPROVE,  # only a second person, and only where the unit has no approver
            Permission.REGISTRATION_READ,
            Permission.REGISTRATION_EDIT,
            Permission.DOOR_RUN,
            Permission.CASE_REGISTER,
            Permission.CASE_ASSIGN,
            Permission.PAIRING_EDIT,
            Permission.PAIRING_READ,
            Permission.EXPORT,
        }
    ),
    Role.SUPERVISOR: frozenset(
        {
            Permission.PEOPLE_READ,
            Permission.EVENT_READ,
            Permission.EVENT_APPROVE,
            Permission.REGISTRATION_READ,
            Permission.CASE_REGISTER,
            Permission.CASE_ASSIGN,
            Permission.CASE_SUPERVISE,
            Permission.PAIRING_READ,
            Permission.EXPORT,
            Permission.EXPORT_OVERSEE,
        }
    ),
    Role.APPROVER: frozenset(
        {Permission.EVENT_READ, Permission.EVENT_APPROVE, Permission.REGISTRATION_READ, Permission.CASE_APPROVE}
    ),
    Role.HANDLER: frozenset({Permission.CASE_HANDLE, Permission.EXPORT}),
    Role.DEPUTY_HANDLER: frozenset({Permission.CASE_HANDLE, Permission.EXPORT}),
    Role.LIAISON_OFFICER: frozenset({Permission.VISIT_LOG, Permission.CASE_REGISTER, Permission.EXPORT}),
    Role.LEADER: frozenset({Permission.VISIT_LOG}),
    Role.SERVICE_OFFICER: frozenset(
        {Permission.PEOPLE_READ, Permission.PEOPLE_REVEAL, Permission.VISIT_LOG, Permission.CASE_REGISTER}
    ),
    Role.AMBASSADOR: frozenset(),
}


class OrganisationNameTaken(Refused):
    """Two bodies under the same one cannot be told apart by one name."""

    message = N_("There is already a unit called %(name)s there.")
    field = "name"


class RootExists(Refused):
    """The tree has one root, chosen in the first set-up; everything else stands below something."""

    message = N_("Say which unit this one belongs to: only the lead office stands at the top.")
    field = "parent"


class BelowItself(Refused):
    """A body cannot be moved under itself or under what belongs to it."""

    message = N_("%(name)s cannot stand under itself or under a unit that belongs to it.")
    field = "parent"


class RootStays(Refused):
    """The lead office is the top of the tree."""

    message = N_("The lead office stands at the top and cannot be moved.")
    field = "parent"


class NameTaken(Refused):
    """Two accounts cannot sign in by the same name."""

    message = N_("Somebody else already signs in as %(username)s.")
    field = "username"


class UsernameUnfit(Refused):
    """A username must never be taken for a number or an address, by which people sign in as well."""

    message = N_("A username has 2 to 40 letters, digits, dots or dashes and begins with a letter.")
    field = "username"
    status = 422


class PhoneTaken(Refused):
    """Accounts sign in by their mobile number, so it belongs to one of them."""

    message = N_("Another account already has this mobile number.")
    field = "phone"


class EmailTaken(Refused):
    """Accounts sign in by their address, so it belongs to one of them."""

    message = N_("Another account already has this mail address.")
    field = "email"


class LastAdministrator(Refused):
    """Somebody must be able to look after the installation."""

    message = N_("%(name)s is the last administrator of the whole installation. Name another one first.")


class OwnAccount(Refused):
    """Nobody locks themselves out by mistake."""

    message = N_("You cannot disable your own account.")


class AlreadySetUp(Refused):
    """The first set-up happens once."""

    message = N_("This installation has been set up already.")


USERNAME_LONGEST = 40


def checked_username(text: str) -> str:
    """Return a username in its normal form: lower case, full-width signs made plain.

    :raises UsernameUnfit: if it could be taken for a number or an address, or is too short or too long
    """
    name = unicodedata.normalize("NFKC", text).strip().lower()
    fits = re.fullmatch(r"[^\W\d_][\w.-]*", name) is not None and 2 <= len(name) <= USERNAME_LONGEST
    if not fits:
        raise UsernameUnfit
    return name


class RowRefused(Refused):
    """Why a row of an imported file cannot be taken; the base of the refusals below."""

    status = 422


class NoUnitName(RowRefused):
    """A unit without a name."""

    message = N_("The unit's full name is missing.")


class NoPersonName(RowRefused):
    """A person without a name."""

    message = N_("The name is missing.")


class KindUnknown(RowRefused):
    """A kind of unit that is none."""

    message = N_("“%(text)s” is no kind of unit. Known are: %(known)s.")


class UnitMissing(RowRefused):
    """A person who belongs nowhere."""

    message = N_("The unit is missing.")


class UnitUnknown(RowRefused):
    """A unit that stands neither in the file nor in the tree."""

    message = N_("No unit is called “%(text)s”, neither here nor in the file. Full and short names are known.")


class UnitAmbiguous(RowRefused):
    """A name that several units share."""

    message = N_("Several units are called “%(text)s”. Write the full name.")


class UnitElsewhere(RowRefused):
    """A unit in a part of the tree that whoever imports does not look after."""

    message = N_("“%(text)s” stands in a part of the tree that you do not look after.")


class UnitsInACircle(RowRefused):
    """Units of a file that stand under each other in a circle."""

    message = N_("In this file “%(text)s” stands under itself, by way of the units above it.")


class AnotherLead(RowRefused):
    """A second top of the tree."""

    message = N_("There is one lead office, %(name)s. Say which unit this one belongs to.")


class RoleMissing(RowRefused):
    """A person without anything to do."""

    message = N_("The role is missing: say what this person does here.")


class RoleUnknown(RowRefused):
    """A role that is none."""

    message = N_("“%(text)s” is no role. Known are: %(known)s.")


class NumberOfAnother(RowRefused):
    """A number or an address that somebody of another name has already."""

    message = N_("%(name)s has this number or address already. Accounts sign in by it, so it belongs to one person.")


KIND_WORDS = {
    "牵头部门": OrganisationKind.LEAD,
    "牵头单位": OrganisationKind.LEAD,
    "职能部门": OrganisationKind.DEPARTMENT,
    "市直部门": OrganisationKind.DEPARTMENT,
    "市直单位": OrganisationKind.DEPARTMENT,
    "县直部门": OrganisationKind.DEPARTMENT,
    "部门": OrganisationKind.DEPARTMENT,
    "群团": OrganisationKind.MASS,
    "群团组织": OrganisationKind.MASS,
    "县市区": OrganisationKind.AREA,
    "县区": OrganisationKind.AREA,
    "县": OrganisationKind.AREA,
    "区": OrganisationKind.AREA,
    "园区": OrganisationKind.PARK,
    "开发区": OrganisationKind.PARK,
    "乡镇": OrganisationKind.TOWNSHIP,
    "乡镇街道": OrganisationKind.TOWNSHIP,
    "镇街": OrganisationKind.TOWNSHIP,
    "街道": OrganisationKind.TOWNSHIP,
    "高校": OrganisationKind.SCHOOL,
    "院校": OrganisationKind.SCHOOL,
    "大学": OrganisationKind.SCHOOL,
    "学校": OrganisationKind.SCHOOL,
    "工作站": OrganisationKind.STATION,
    "人才工作站": OrganisationKind.STATION,
    "引才工作站": OrganisationKind.STATION,
    "联络处": OrganisationKind.STATION,
    "联络站": OrganisationKind.STATION,
    "在外人才联络处": OrganisationKind.STATION,
    "在外人才联络站": OrganisationKind.STATION,
    "企业": OrganisationKind.EMPLOYER,
    "用人单位": OrganisationKind.EMPLOYER,
}
ROLE_WORDS = {
    "管理员": Role.ADMINISTRATOR,
    "系统管理员": Role.ADMINISTRATOR,
    "组织者": Role.ORGANISER,
    "活动组织者": Role.ORGANISER,
    "督办": Role.SUPERVISOR,
    "督办员": Role.SUPERVISOR,
    "审核人": Role.APPROVER,
    "审核": Role.APPROVER,
    "经办人": Role.HANDLER,
    "经办": Role.HANDLER,
    "经办人a岗": Role.HANDLER,
    "经办人b岗": Role.DEPUTY_HANDLER,
    "经办b岗": Role.DEPUTY_HANDLER,
    "b岗": Role.DEPUTY_HANDLER,
    "联络员": Role.LIAISON_OFFICER,
    "领导秘书": Role.LIAISON_OFFICER,
    "秘书": Role.LIAISON_OFFICER,
    "联系领导": Role.LEADER,
    "领导": Role.LEADER,
    "服务专员": Role.SERVICE_OFFICER,
    "人才服务专员": Role.SERVICE_OFFICER,
    "引才专员": Role.AMBASSADOR,
    "引才大使": Role.AMBASSADOR,
}


KIND_SAID = {kind: word for word, kind in reversed(KIND_WORDS.items())}
"""How files write each kind: the first word for it."""
ROLE_SAID = {role: word for word, role in reversed(ROLE_WORDS.items())} | {Role.DEPUTY_HANDLER: "经办人（B岗）"}
"""How files write each role."""


def kind_said(text: str) -> OrganisationKind:
    """Return the kind of unit that a cell names; a department where it is blank.

    :raises KindUnknown: if it names none
    """
    word = _bare(text)
    if not word:
        return OrganisationKind.DEPARTMENT
    if word not in KIND_WORDS:
        raise KindUnknown(text=text, known="、".join(KIND_SAID[kind] for kind in OrganisationKind))
    return KIND_WORDS[word]


def roles_said(text: str) -> list[Role]:
    """Return the roles that a cell names, several separated by 、 , ; or /.

    :raises RoleMissing: if it is blank
    :raises RoleUnknown: if a part of it names none
    """
    parts = [part for part in re.split(r"[、,，;；/\n]+", unicodedata.normalize("NFKC", text)) if part.strip()]
    if not parts:
        raise RoleMissing
    unknown = [part for part in parts if _bare(part) not in ROLE_WORDS]
    if unknown:
        raise RoleUnknown(
            text=unknown[0].strip(),
            known="、".join(ROLE_SAID[role] for role in Role),
        )
    return list(dict.fromkeys(ROLE_WORDS[_bare(part)] for part in parts))


def _bare(text: str) -> str:
    return re.sub(r"[\s()（）\[\]【】·-]", "", unicodedata.normalize("NFKC", text)).lower()
