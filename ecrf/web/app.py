"""What the blinded app and the vault app have in common: headers, language, errors.

Every page of a study takes its id as `study_id` (`/<study_id>/…`).
"""

import uuid
from datetime import date, datetime, timedelta
from logging import getLogger
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Flask, Response, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from ecrf.kernel.access import TITLES
from ecrf.kernel.accounts import IDLE, NOBODY, TOUCH
from ecrf.kernel.config import Environment
from ecrf.kernel.errors import NotFound, Refused, SignInNeeded, Unavailable
from ecrf.kernel.text import LOCALES, T, say
from ecrf.web import nav, sign_in, words
from ecrf.web.compiled import Compiled
from ecrf.web.services import Services, services

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LANGUAGE_COOKIE = "ecrf_language"
_LOG = getLogger("ecrf")


def make_app(name: str, given: Services) -> Flask:
    """Return an app with everything both apps share, and no page but signing in and out."""
    app = Flask(name, template_folder="templates", static_folder="static")
    app.extensions["ecrf"] = given
    app.config.update(MAX_CONTENT_LENGTH=8 * 1024 * 1024, MAX_FORM_PARTS=5000)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.bytecode_cache = Compiled()
    app.jinja_env.filters.update(
        text=_text,
        day=_day,
        moment=_moment,
        sign=words.sign,
        need=words.need,
        rule=words.rule,
        role=_role,
    )
    app.context_processor(_context)
    app.before_request(_choose_language)
    app.after_request(_add_headers)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, away)
    app.register_error_handler(Exception, _unexpected)
    app.register_blueprint(sign_in.pages)
    return app


def _choose_language() -> None:
    if "\x00" in request.full_path:
        g.locale = services().config.locale
        raise NotFound(T("There is no such page."))
    asked = request.args.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    g.locale = asked if asked in LOCALES else services().config.locale


def _add_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    if services().config.base_url.startswith("https:"):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.args.get("lang") in LOCALES:
        until = services().clock() + timedelta(days=365)
        response.set_cookie(LANGUAGE_COOKIE, g.locale, samesite="Lax", expires=until)
    return response


def _context() -> dict[str, object]:
    present = g.get("present")
    study = (request.view_args or {}).get("study_id")
    return {
        "t": _t,
        "csrf": _csrf,
        "locale": g.locale,
        "other_locales": [locale for locale in LOCALES if locale != g.locale],
        "actor": g.get("actor", NOBODY),
        "signed_in": present is not None,
        "session_left": int((IDLE - TOUCH).total_seconds()),
        "environment": services().config.environment,
        "training": services().config.environment is Environment.TRAINING,
        "server_time": services().clock(),
        "here": request.path,
        "study_id": study,
        "nav": nav.entries(g.get("actor", NOBODY), study),
    }


def _t(wording: str, /, **values: object) -> str:
    return say(T(wording, **values), g.locale)


def _text(value: object) -> str:
    """Say a text in the language of the page."""
    return "" if value is None else say(value, g.locale)


def _role(value: str) -> str:
    """Say a role in the language of the page."""
    return say(TITLES.get(value, value), g.locale)


def _csrf() -> Markup:
    present = g.get("present")
    token = present.csrf if present else ""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(escape(token))


def _day(value: date | None) -> str:
    """Show a civil date without ambiguity: 05-Mar-2026, or 2026年3月5日."""
    if value is None:
        return ""
    if g.locale == "zh":
        return format_date(value, "y年M月d日", locale="zh")
    return format_date(value, "dd-MMM-y", locale="en")


def _moment(value: datetime | None, zone: str = "UTC") -> str:
    """Show an instant in a zone, with the zone's name and offset."""
    if value is None:
        return ""
    local = value.astimezone(ZoneInfo(zone))
    if zone == "UTC":
        return f"{local:%Y-%m-%d %H:%M} UTC"
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d %H:%M} ({zone}, UTC{offset[:3]}:{offset[3:]})"


def _refused(refusal: Refused) -> ResponseReturnValue:
    if isinstance(refusal, SignInNeeded):
        return sign_in.ask(refusal)
    page = render_template("refused.html", refusal=refusal)
    return make_response(page, refusal.status)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code in (301, 302, 303, 304, 307, 308):
        return error
    refusal = NotFound(T("There is no such page."))
    if error.code != 404:
        refusal = NotFound(T("The request cannot be understood ({code}).", code=error.code))
    return make_response(render_template("refused.html", refusal=refusal), error.code or 500)


def away(error: OperationalError) -> ResponseReturnValue:
    """A database does not answer: say so, and where to turn in a medical emergency."""
    reference = uuid.UUID(bytes=services().draw(16)).hex[:8]
    _LOG.error("a database: %s, reference %s", type(error).__name__, reference, exc_info=error)
    refusal = Unavailable(
        T("The system's database does not answer; nothing was saved. Reference {ref}.",
          ref=reference)
    )  # fmt: skip
    page = render_template("refused.html", refusal=refusal, emergency=True)
    return make_response(page, refusal.status)


def _unexpected(error: Exception) -> ResponseReturnValue:
    """Answer with a reference only; what happened goes to the log of the process."""
    reference = uuid.UUID(bytes=services().draw(16)).hex[:8]
    _LOG.error("unexpected %s, reference %s", type(error).__name__, reference, exc_info=error)
    refusal = Refused(
        T("Something went wrong; nothing was saved. Reference {ref}.", ref=reference)
    )
    return make_response(render_template("refused.html", refusal=refusal), 500)
