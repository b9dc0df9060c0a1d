"""Headers of every answer: a strict content policy, and nothing kept where it should not be."""

from flask import Flask, Response, g, request

POLICY = (
    "default-src 'self'; script-src 'self'{script}; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def mount(app: Flask) -> None:
    """Give every answer its headers."""
    app.after_request(_protect)


def allow_wasm() -> None:
    """Let this page compile WebAssembly (the scanner's decoder); no other page may."""
    g.wasm = True


def _protect(response: Response) -> Response:
    script = " 'wasm-unsafe-eval'" if g.get("wasm") else ""
    response.headers.setdefault("Content-Security-Policy", POLICY.format(script=script))
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
