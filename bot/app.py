"""Composition root: settings → answerer → Flask app. The one place that puts the parts together."""

import json
from pathlib import Path

from flask import Flask

from bot.answer import Answerer, Doubt
from bot.faces import slack, web
from bot.index import Index, check_model, load
from bot.journal import Journal
from bot.retrieval import Retriever, has_questions
from bot.settings import Settings

TUNING = Path(__file__).with_name("tuning.json")


def create_app(settings: Settings) -> Flask:
    """Return the WSGI application: site, question endpoint, and Slack when it has a signing secret."""
    return app_of(create_answerer(settings), Journal(settings.journal, settings.journal_days), settings)


def app_of(answerer: Answerer, journal: Journal, settings: Settings) -> Flask:
    """Return the application whose faces hold `answerer` and `journal`."""
    app = Flask("portside", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = web.MAX_BODY
    app.url_map.strict_slashes = False
    app.register_blueprint(slack.blueprint(answerer, journal, settings.slack_signing_secret, settings.public_url))
    app.register_blueprint(web.blueprint(answerer, journal, settings.site))
    web.handle_errors(app, settings.site)
    return app


def create_answerer(settings: Settings) -> Answerer:
    """Return the answerer over the index, which must be of the site as it stands and of the model that is set."""
    index = load(settings.index, settings.site if settings.site.is_dir() else None)
    check_model(index.manifest, settings.model, settings.index)
    return answerer_of(index, settings)


def answerer_of(index: Index, settings: Settings) -> Answerer:
    """Return the answerer over `index` with the learned weights, thresholds from `settings` where they are set."""
    tuned = json.loads(TUNING.read_text(encoding="utf-8"))["with_questions" if has_questions(index) else "without_questions"]
    doubt = tuned["doubt"]
    for name in ("answer_at", "unsure_at"):
        if (value := getattr(settings, name)) is not None:
            doubt[name] = value
    return Answerer(Retriever(index, tuned["fusion"]), Doubt(**doubt))
