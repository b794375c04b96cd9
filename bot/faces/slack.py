"""Slack: `/ask question` → a private answer with links, through Bolt's Flask adapter.

Bolt checks the signature; the command is acknowledged at once and answered through its response_url. No bot token is needed.
Every command ends with a visible message. Knows no index and no settings.
"""

import logging
import re
from typing import Any

from flask import Blueprint, Response, request
from pydantic import SecretStr
from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.flask import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.webhook import WebhookResponse

from bot.answer import Answer, Answerer
from bot.errors import PortsideError, SettingProblem
from bot.journal import Journal

log = logging.getLogger("portside.slack")

MARKDOWN_CHARACTERS = 11_000  # Slack refuses a markdown block of more than 12,000
PLAIN_CHARACTERS = 3_000  # of the fallback and of notifications
BUTTON_CHARACTERS = 75
BUTTONS = 3
HELP = (
    "Ask a question about exposing Kubernetes services: `/ask should I use Ingress for UDP?` "
    "The answer is for your eyes only until you share it."
)
BUG = "Something went wrong on our side; it is in the server's log. Try again in a minute."


def blueprint(answerer: Answerer, journal: Journal, signing_secret: SecretStr | None, public_url: str) -> Blueprint:
    """Return the route POST /slack/events; without a signing secret it says how to set one."""
    slack = Blueprint("slack", __name__)
    handler = SlackRequestHandler(bolt_app(answerer, journal, signing_secret.get_secret_value(), public_url)) if signing_secret else None

    @slack.post("/slack/events")
    def events() -> Response:
        if handler is None:
            raise SettingProblem("Slack is not set up: start the server with PORTSIDE_SLACK_SIGNING_SECRET.", "slack-not-configured", 404)
        return handler.handle(request)

    return slack


def bolt_app(answerer: Answerer, journal: Journal, signing_secret: str, public_url: str) -> App:
    """Return the Bolt app: the command, its share button, and link buttons that need no work."""
    app = App(
        signing_secret=signing_secret,
        authorize=lambda context: AuthorizeResult(enterprise_id=context.enterprise_id, team_id=context.team_id),
        logger=log,
    )

    @app.command(re.compile("^/"))
    def asked(ack: Ack, respond: Respond, command: dict[str, Any]) -> None:
        ack()
        text = str(command.get("text", "")).strip()
        if text.lower() in ("", "help"):
            respond(text=HELP, response_type="ephemeral")
            return
        _answer(answerer, journal, respond, text, public_url)

    @app.action("share")
    def shared(ack: Ack, respond: Respond, action: dict[str, Any]) -> None:
        ack()
        _answer(answerer, journal, respond, str(action.get("value", "")), public_url, share=True)

    @app.action(re.compile("^open-"))
    def opened(ack: Ack) -> None:
        ack()

    return app


def _answer(answerer: Answerer, journal: Journal, respond: Respond, question: str, public_url: str, share: bool = False) -> None:
    visible = "in_channel" if share else "ephemeral"
    try:
        answer = answerer.ask(question)
        journal.record(answer, "slack")
        response = respond(response_type=visible, replace_original=False, **message(answer, public_url, share))
        if not _arrived(response):
            respond(response_type=visible, replace_original=False, text=plain(answer, public_url))
    except PortsideError as refused:
        respond(response_type="ephemeral", replace_original=False, text=str(refused))
    except Exception:
        log.exception("Unexpected error on a Slack command")
        respond(response_type="ephemeral", replace_original=False, text=BUG)


def _arrived(response: WebhookResponse) -> bool:
    if response.status_code != 200:
        log.warning("Slack refused the message (%s %s); sending it as plain text", response.status_code, response.body[:200])
    return bool(response.status_code == 200)


def message(answer: Answer, public_url: str, shared: bool = False) -> dict[str, Any]:
    """Return the text and blocks of `answer` as Slack shows them."""
    asked = f"> {' '.join(answer.question.split())}\n\n"
    blocks: list[dict[str, Any]] = [{"type": "markdown", "text": _cut(asked + absolute(answer.answer, public_url), MARKDOWN_CHARACTERS)}]
    buttons: list[dict[str, Any]] = []
    if public_url:
        buttons = [
            {
                "type": "button",
                "action_id": f"open-{number}",
                "text": {"type": "plain_text", "text": _cut(citation.title, BUTTON_CHARACTERS)},
                "url": public_url.rstrip("/") + citation.url,
            }
            for number, citation in enumerate(answer.citations[:BUTTONS])
        ]
    if not shared and answer.status != "declined":
        button = {"type": "plain_text", "text": "Share in channel"}
        buttons.append({"type": "button", "action_id": "share", "text": button, "value": answer.question})
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    footer = {
        "answered": f"From the handbook’s own words · {answer.confidence:.0%} sure",
        "unsure": f"Not sure ({answer.confidence:.0%}): the closest section",
        "declined": "Not in the handbook: the nearest sections",
    }[answer.status]
    if not public_url:  # no buttons: the sections are named at least
        footer += "".join(f"\n{citation.title}" for citation in answer.citations[:BUTTONS])
    blocks.append({"type": "context", "elements": [{"type": "plain_text", "text": footer}]})
    return {"text": _cut(plain(answer, public_url), PLAIN_CHARACTERS), "blocks": blocks}


def plain(answer: Answer, public_url: str) -> str:
    """Return `answer` as text alone, for notifications and as the fallback when Slack refuses the blocks."""
    links = "\n".join(f"{citation.title}: {public_url.rstrip('/')}{citation.url}" for citation in answer.citations)
    return _cut(f"{absolute(answer.answer, public_url)}\n\n{links}", PLAIN_CHARACTERS)


def absolute(markdown: str, public_url: str) -> str:
    """Return `markdown` with links into the site made absolute, or made plain text where the site's address is unknown."""
    if public_url:
        return re.sub(r"\]\((/[^)\s]*)\)", lambda link: f"]({public_url.rstrip('/')}{link.group(1)})", markdown)
    return re.sub(r"\[([^\]]+)\]\(/[^)\s]*\)", r"\1", markdown)


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
