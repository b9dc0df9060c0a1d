"""The command that builds the city of the demo."""

import click
from flask.cli import with_appcontext

from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.organisations.queries import installation


@click.command("demo-city")
@with_appcontext
def demo_city() -> None:
    """Build a city to try things in, unless there is a city already; print its accounts."""
    from outreach.demo import city  # noqa: PLC0415 -- 3 MB, which no other process needs

    if installation() is None:
        click.echo("Building the city of the demo …")
        city.build(now=now())
        db.session.commit()
    click.echo(city.accounts_in_words())


COMMANDS = (demo_city,)
