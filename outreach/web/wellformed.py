"""What no honest browser sends and some database refuses: stopped at the door, for every page at once."""

from flask import Flask, abort, request
from werkzeug.routing import IntegerConverter

LARGEST_ID = 2**31 - 1


class IdConverter(IntegerConverter):
    """`<int:…>` in a route: an id that fits the database; anything larger is not found."""

    def __init__(self, map_: object, **options: object) -> None:
        options.setdefault("max", LARGEST_ID)
        super().__init__(map_, **options)


def mount(app: Flask) -> None:
    """Bound ids in routes and refuse zero characters in what is asked and typed."""
    app.url_map.converters["int"] = IdConverter
    app.before_request(_refuse_zero_characters)


def _refuse_zero_characters() -> None:
    texts = [request.path]
    if request.query_string:
        texts += [*request.args.values(), *request.args.keys()]
    if not request.is_json:
        texts += [*request.form.values(), *request.form.keys()]
    if any("\0" in text for text in texts):
        abort(400)
