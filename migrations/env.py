"""How migrations are written and run: on the application's own database, with plain types only."""

from contextlib import nullcontext
from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

from outreach.kernel.database import db


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Write our own column types as the plain types they stand on: a migration must not change with the code."""
    if kind == "type" and isinstance(item, sa.TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def run() -> None:
    """Run the migrations asked for, in the transaction of a connection that was given, or in one of their own."""
    given = context.config.attributes.get("connection")
    with db.engine.connect() if given is None else nullcontext(given) as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


assert current_app, "run through flask"  # noqa: S101 -- alembic alone has no settings
run()
