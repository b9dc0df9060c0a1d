from flask import Flask


def test_every_route_says_who_may_enter(app: Flask):
    silent = [name for name, view in app.view_functions.items() if name != "static" and not hasattr(view, "admits")]

    assert silent == []


# The doors themselves: whoever comes in is a stranger until then. Each names what it asks for.
WAYS_IN = {
    "signing_in.password",  # name and password
    "signing_in.password_given",
    "signing_in.enter",  # the secret of a link, and a device that is known
    "signing_in.entered",
    "setup.start",  # the machine itself, or the code its server printed; once
    "setup.answered",
    "setup.code_given",
}


def test_a_desk_or_door_page_admits_no_stranger(app: Flask):
    inner = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(("/desk/", "/door/"))]

    open_doors = {rule.endpoint for rule in inner if app.view_functions[rule.endpoint].admits == "everyone"}

    assert open_doors - WAYS_IN == set()
