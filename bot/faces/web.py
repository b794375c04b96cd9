"""HTTP: the question endpoint (JSON and event stream), search, feedback, health, metrics, OpenAPI, and the site itself.

Every error is RFC 9457 problem+json with a stable `code`. Knows no index and no settings.
"""

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from flask import Blueprint, Flask, Response, request, send_from_directory
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import models_json_schema
from werkzeug.exceptions import HTTPException, NotFound, UnsupportedMediaType
from werkzeug.routing import PathConverter
from werkzeug.security import safe_join

from bot.answer import MAX_HISTORY, MAX_QUESTION, Answer, Answerer, checked
from bot.errors import PortsideError, QuestionRefused, RequestRefused
from bot.journal import Journal

log = logging.getLogger("portside.web")

MAX_BODY = 64 * 1024  # bytes: a full history of the longest questions is 7 × 1,000 characters of up to 4 bytes, escaped
MAX_HITS = 20
# What the pages of MkDocs Material need: its inline scripts and styles, its search worker. Nothing from another host.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
PLAIN = {400: "bad-request", 404: "not-found", 405: "wrong-method", 413: "too-large", 415: "wrong-content-type", 406: "not-acceptable"}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


# What `checked` takes, as the document tells it: something besides white space, and no control characters but line ends and tabs.
READABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
Question = Annotated[
    str,
    Field(min_length=1, max_length=MAX_QUESTION, examples=["should I use Ingress for UDP?"], json_schema_extra={"pattern": READABLE}),
]


class Earlier(Strict):
    """A question asked before in the same conversation."""

    question: Question


class AskRequest(Strict):
    """A question, with what was asked before and where."""

    question: Question
    history: list[Earlier] = Field(default=[], max_length=MAX_HISTORY, description="Earlier questions, oldest first.")
    page: str = Field(default="", max_length=300, description="Path of the page that the reader is on.", examples=["/protocols/"])


class FeedbackRequest(Strict):
    """Whether an answer helped."""

    id: str = Field(min_length=1, max_length=64, description="The answer's id.")
    helpful: bool
    comment: str = Field(default="", max_length=1000)


class CitationBody(BaseModel):
    title: str
    url: str = Field(description="Path under the site's root that opens at the heading.")
    quote: str = Field(description="Verbatim from the page.")
    score: float = Field(ge=0, le=1)


class AnswerBody(BaseModel):
    """The answer, in the handbook's own words."""

    id: str
    question: str
    status: Literal["answered", "unsure", "declined"]
    verdict: Literal["yes", "no", "depends"] | None = Field(description="Null when it is not a yes/no question.")
    answer: str = Field(description="Markdown.")
    confidence: float = Field(ge=0, le=1, description="Probability that the answer is right.")
    citations: list[CitationBody] = Field(description="The best passage first; when declined, the nearest sections.")
    suggestions: list[str]
    took_ms: float = Field(ge=0)


class HitBody(CitationBody):
    parts: dict[str, float] = Field(description="What the score is made of.")


class SearchBody(BaseModel):
    query: str
    hits: list[HitBody]


class StateBody(BaseModel):
    status: str


class ReadyBody(StateBody):
    sections: int
    questions: int
    model: str
    built: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What happened, and what to do.")
    code: str = Field(description="Stable; for programs.")


class SitePath(PathConverter):
    """Any path but those of the programs' endpoints: a GET of them is a wrong method, not a missing page."""

    regex = r"(?!api/|slack/events$|mcp$)[^/].*?"


def blueprint(answerer: Answerer, journal: Journal, site: Path) -> Blueprint:
    """Return the routes over `answerer`; `site` is the folder of the built site."""
    web = Blueprint("web", __name__)
    registry = CollectorRegistry()
    answers = Counter("portside_answers", "Answers given.", ["face", "status"], registry=registry)
    seconds = Histogram(
        "portside_answer_seconds", "Time to an answer.", registry=registry, buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)
    )
    openapi = openapi_document()
    web.record_once(lambda state: state.app.url_map.converters.update(site=SitePath))

    @web.post("/api/ask")
    def ask() -> Response:
        asked = _body(AskRequest)
        streams = request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream"
        answer = answerer.ask(asked.question, [earlier.question for earlier in asked.history], asked.page)
        journal.record(answer, "web")
        answers.labels("web", answer.status).inc()
        seconds.observe(answer.took_ms / 1000)
        if streams:
            return Response(_events(answer), mimetype="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        return _json(asdict(answer))

    @web.get("/api/search")
    def search() -> Response:
        unknown = set(request.args) - {"q", "k"}
        if unknown:
            raise RequestRefused(f"There is no parameter {sorted(unknown)[0]!r}: use q and k.", status=422)
        question = checked(request.args.get("q", ""))
        k = request.args.get("k", "5")
        if not (k.isascii() and k.isdecimal() and 1 <= int(k[:4]) <= MAX_HITS and len(k) <= 2):
            raise RequestRefused(f"k is {k[:20]!r}: give a number from 1 to {MAX_HITS}.", status=422)
        return _json(
            {"query": question, "hits": [asdict(citation) | {"parts": parts} for citation, parts in answerer.nearest(question, int(k))]}
        )

    @web.post("/api/feedback")
    def feedback() -> Response:
        given = _body(FeedbackRequest)
        if not journal.feedback(given.id, given.helpful, given.comment):
            raise RequestRefused(
                "There is no answer with that id, or it is too old: send the id of a recent answer.", "unknown-answer", 404
            )
        return Response(status=204)

    @web.get("/healthz")
    def healthz() -> Response:
        return _json({"status": "ok"})

    @web.get("/readyz")
    def readyz() -> Response:
        manifest = answerer.retriever.index.manifest
        return _json({"status": "ready"} | {name: manifest[name] for name in ("sections", "questions", "model", "built")})

    @web.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")

    @web.get("/openapi.json")
    def describe() -> Response:
        return _json(openapi)

    @web.get("/", defaults={"path": ""})
    @web.get("/<site:path>")
    def page(path: str) -> Response:
        return _page(site, path)

    return web


def handle_errors(app: Flask, site: Path) -> None:
    """Make every error of `app` problem+json, but a reader's missing page, which gets the site's own 404 page."""

    @app.errorhandler(PortsideError)
    def refused(error: PortsideError) -> Response:
        return problem(error.status, error.code, str(error))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return Response(error.get_response().get_data(), status, dict(error.get_headers()))
        for_a_reader = request.accept_mimetypes.accept_html and not request.path.startswith(("/api/", "/slack/events"))
        if status == 404 and for_a_reader and (site / "404.html").is_file():
            return Response((site / "404.html").read_bytes(), 404, mimetype="text/html")
        response = problem(status, PLAIN.get(status, "bad-request" if status < 500 else "internal"), _what_to_do(error))
        if allowed := getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    @app.errorhandler(Exception)
    def bug(_: Exception) -> Response:
        log.exception("Unexpected error on %s %s", request.method, request.path)
        return problem(500, "internal", "Something went wrong on our side; it is in the server's log. Try again.")

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response


def problem(status: int, code: str, detail: str) -> Response:
    """Return an RFC 9457 problem; its type is the place in the handbook that explains the code."""
    body = {"type": f"/http-api/#problem-{code}", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json")


def _what_to_do(error: HTTPException) -> str:
    return {
        404: "There is nothing at this address: see /openapi.json for what there is.",
        405: "This address does not take that method: see the Allow header.",
        413: f"The request has more than {MAX_BODY} bytes: a question has at most {MAX_QUESTION} characters.",
        415: "Send JSON with the header Content-Type: application/json.",
    }.get(error.code or 500, error.description or "The request cannot be read.")


Model = TypeVar("Model", bound=Strict)


def _body(model: type[Model]) -> Model:
    """Return the request's JSON as `model`, or raise RequestRefused that says what is wrong with it."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType()
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as invalid:
        error = invalid.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, error["loc"]))
    if error["type"] == "json_invalid":
        raise RequestRefused(f'The body is not JSON ({error["ctx"]["error"]}): send an object such as {{"question": "…"}}.', "not-json")
    if field.endswith("question") and error["type"] == "string_too_long":
        raise QuestionRefused(f"A question has at most {MAX_QUESTION} characters: ask the core of it.", "question-too-long")
    if field.endswith("question") and error["type"] == "string_too_short":
        raise QuestionRefused("The question is empty: ask something in words.", "empty-question")
    raise RequestRefused(f"{field or 'body'}: {error['msg']}. See /openapi.json.", status=422)


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), mimetype="application/json")


def _events(answer: Answer) -> Iterator[str]:
    """Yield server-sent events: the answer block by block, then the whole of it."""
    for block in re.split(r"\n\n(?=\S)", answer.answer):
        yield f"event: block\ndata: {json.dumps({'markdown': block}, ensure_ascii=False)}\n\n"
    yield f"event: answer\ndata: {json.dumps(asdict(answer), ensure_ascii=False)}\n\n"


def _page(site: Path, path: str) -> Response:
    """Return a file of the site; a folder gives its index.html."""
    if "\0" in path or "\\" in path:
        raise NotFound()
    found = safe_join(str(site.resolve()), path) if path else str(site.resolve())
    if found is None:
        raise NotFound()
    try:
        is_folder = Path(found).is_dir()
    except OSError:  # a name that is too long for the file system
        raise NotFound() from None
    if is_folder:
        if path and not path.endswith("/"):
            return Response(status=308, headers={"Location": f"/{path}/"})
        path += "index.html"
    response = send_from_directory(site.resolve(), path)
    hashed = path.startswith("assets/") and path.count(".") > 1  # the theme's own files carry a hash in their names
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
    return response


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of the routes, its schemas made from the models that the routes use."""
    models = (AskRequest, FeedbackRequest, AnswerBody, SearchBody, StateBody, ReadyBody, Problem)
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template="#/components/schemas/{model}")

    def content(model: type[BaseModel], media: str = "application/json") -> dict[str, Any]:
        return {media: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}

    def responses(ok: dict[str, Any], *statuses: int) -> dict[str, Any]:
        refused = {"description": "What is wrong, and what to do.", "content": content(Problem, "application/problem+json")}
        return ok | {str(status): refused for status in statuses}

    def said(description: str, model: type[BaseModel]) -> dict[str, Any]:
        return {"200": {"description": description, "content": content(model)}}

    def body(model: type[BaseModel]) -> dict[str, Any]:
        return {"required": True, "content": content(model)}

    stream = {"text/event-stream": {"schema": {"type": "string"}}}
    answered = {"200": {"description": "The answer, or an honest refusal.", "content": content(AnswerBody) | stream}}
    query = {"type": "string", "minLength": 1, "maxLength": MAX_QUESTION, "pattern": READABLE}
    paths: dict[str, Any] = {
        "/api/ask": {
            "post": {
                "operationId": "ask",
                "summary": "Ask a question; with Accept: text/event-stream the answer comes block by block.",
                "requestBody": body(AskRequest),
                "responses": responses(answered, 400, 413, 415, 422),
            }
        },
        "/api/search": {
            "get": {
                "operationId": "search",
                "summary": "The sections nearest to a question, with the parts of their scores.",
                "parameters": [
                    {"name": "q", "in": "query", "required": True, "schema": query},
                    {"name": "k", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MAX_HITS, "default": 5}},
                ],
                "responses": responses(said("Sections, best first.", SearchBody), 422),
            }
        },
        "/api/feedback": {
            "post": {
                "operationId": "feedback",
                "summary": "Say whether an answer helped.",
                "requestBody": body(FeedbackRequest),
                "responses": responses({"204": {"description": "Noted."}}, 400, 404, 413, 415, 422),
            }
        },
        "/healthz": {"get": {"operationId": "healthz", "summary": "The process runs.", "responses": said("Yes.", StateBody)}},
        "/readyz": {"get": {"operationId": "readyz", "summary": "The index that is served.", "responses": said("Ready.", ReadyBody)}},
        "/metrics": {
            "get": {
                "operationId": "metrics",
                "summary": "Counters and times for Prometheus.",
                "responses": {"200": {"description": "Metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
            }
        },
    }
    info = {"title": "Portside", "version": "1", "description": "Questions to a documentation site, answered in its own words."}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": schemas["$defs"]}}
