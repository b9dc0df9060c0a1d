import pytest

from outreach.config import SettingsRefused
from outreach.operating.commands import refuse_the_demo

PUBLIC = {"base_url": "https://talent.example.cn"}


def test_the_city_of_the_demo_is_not_served_to_others(app, city):
    city.is_demo = True

    with pytest.raises(SettingsRefused, match="whose passwords everybody knows"):
        refuse_the_demo(app.config["SETTINGS"].model_copy(update=PUBLIC))


@pytest.mark.parametrize(("is_demo", "where"), [(False, PUBLIC), (True, {})])
def test_a_real_city_is_served_and_the_demo_to_oneself(app, city, is_demo, where):
    city.is_demo = is_demo

    refuse_the_demo(app.config["SETTINGS"].model_copy(update=where))
