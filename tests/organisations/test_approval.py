"""Who approves follows the tree."""

import pytest

from outreach.organisations.rules import Role
from outreach.organisations.rules.approval import Seat, approvers

CITY, COUNTY, TOWN = "1.", "1.5.", "1.5.9."
TREE = [
    Seat(10, Role.ORGANISER, CITY),
    Seat(11, Role.ORGANISER, CITY),
    Seat(12, Role.SUPERVISOR, CITY),
    Seat(50, Role.APPROVER, COUNTY),
    Seat(51, Role.ORGANISER, COUNTY),
    Seat(90, Role.ORGANISER, TOWN),
]


@pytest.mark.parametrize(
    ("path", "submitter", "deciding"),
    [
        pytest.param(COUNTY, 51, {50}, id="the approver of the unit"),
        pytest.param(TOWN, 90, {50}, id="without one, the approver of the unit above"),
        pytest.param(COUNTY, 50, {10, 11, 12}, id="the only approver submitted it: the top decides"),
        pytest.param(CITY, 10, {11, 12}, id="at the top any second organiser or the supervisor"),
        pytest.param("1.7.", 70, {10, 11, 12}, id="a unit without approvers straight below the top"),
        pytest.param("1.55.", 70, {10, 11, 12}, id="a path that begins with the same figures is another unit"),
    ],
)
def test_who_approves_follows_the_tree(path, submitter, deciding):
    assert approvers(path, TREE, submitter) == deciding


def test_an_office_of_one_has_nobody_to_approve():
    assert approvers(CITY, [Seat(10, Role.ORGANISER, CITY)], 10) == frozenset()
