"""Headers of every answer: a strict content policy, and nothing kept where it should not be."""

from flask import Flask, Response, g, request

POLICY = (
    "default-src 'self'; script-src 'self'{script}; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


FIXED = (
    ("Content-Security-Policy", POLICY.format(script="")),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), microphone=(), geolocation=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
NOT_KEPT = ("Cache-Control", "no-store")
SECURE = ("Strict-Transport-Security", "max-age=31536000")


def mount(app: Flask) -> None:
    """Give every answer its headers."""
    app.after_request(_protect)


def allow_wasm() -> None:
    """Let this page compile WebAssembly (the scanner's decoder); no other page may."""
    g.wasm = True


def _protect(response: Response) -> Response:
    headers = response.headers
    if g.get("wasm"):
        headers.setdefault("Content-Security-Policy", POLICY.format(script=" 'wasm-unsafe-eval'"))
    wanted = FIXED
    if request.is_secure:
        wanted = (*wanted, SECURE)
    if request.endpoint != "static":
        wanted = (*wanted, NOT_KEPT)
    headers.extend([each for each in wanted if each[0] not in headers])
    return response
