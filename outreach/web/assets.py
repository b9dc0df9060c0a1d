"""Where the built scripts and styles stand: names with a hash of their content, kept by browsers for a year."""

import json
from pathlib import Path

from flask import Flask, url_for


def mount(app: Flask) -> None:
    """Offer `asset('css/app.css')` to templates.

    static/dist/manifest.json maps source names to built names; it is read anew when it changes.
    """
    manifest = Path(app.static_folder or "") / "dist" / "manifest.json"
    read: dict[str, object] = {}

    def asset(name: str) -> str:
        changed = manifest.stat().st_mtime_ns
        if read.get("changed") != changed:
            read.update(changed=changed, names=json.loads(manifest.read_text()))
        return url_for("static", filename=f"dist/{read['names'][name]}")

    app.add_template_global(asset)
