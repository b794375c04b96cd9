"""The command line: build, ask, serve, check, bench, tune, gaps. Knows how to print; the work is done elsewhere."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from bot.errors import PortsideError, SettingProblem
from bot.settings import Settings, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0, or that of the error, which is printed in one sentence."""
    parsed = parser().parse_args(arguments)
    options = vars(parsed)
    command: Callable[..., int] = options.pop("run")
    try:
        given = {name: options.pop(name, None) for name in Settings.model_fields if name in options}
        return command(read_settings(**given), **options)
    except PortsideError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(prog="python -m bot", description="A documentation site that answers questions in its own words.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[..., int], sentence: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=sentence, description=sentence)
        sub.set_defaults(run=run)
        for folder in ("site", "index"):
            sub.add_argument(f"--{folder}", type=Path, metavar="DIR", help=Settings.model_fields[folder].description)
        return sub

    build = command("build", run_build, "Build the index from the built site; only what changed is encoded again.")
    build.add_argument("--model", help=Settings.model_fields["model"].description)
    build.add_argument("--full", action="store_true", help="Encode everything again.")
    ask = command("ask", run_ask, "Answer a question in the terminal.")
    ask.add_argument("question", nargs="+", help="What to ask; its words need no quotes.")
    ask.add_argument("--after", action="append", default=[], metavar="QUESTION", help="A question asked before; may be repeated.")
    ask.add_argument("--page", default="", help="Path of the page that the reader is on.")
    ask.add_argument("--json", action="store_true", help="Print the answer as the HTTP endpoint gives it.")
    serve = command("serve", run_serve, "Serve the site and the bot.")
    serve.add_argument("--host", help=Settings.model_fields["host"].description)
    serve.add_argument("--port", help=Settings.model_fields["port"].description)
    check = command("check", run_check, "Measure how good the answers are; fails when a figure is under its threshold.")
    check.add_argument("--json", action="store_true", help="Print the figures as JSON.")
    check.add_argument("--fast", action="store_true", help="Without baselines and ablation.")
    check.add_argument("--write", type=Path, metavar="DIR", help="Write the data and plots of the docs page into DIR.")
    check.add_argument("--golden", type=Path, metavar="DIR", help="Golden questions of another site: a folder with golden-*.jsonl.")
    bench = command("bench", run_bench, "Measure speed and memory against plain sentence-transformers + FAISS.")
    bench.add_argument("--json", action="store_true", help="Print the figures as JSON.")
    tune = command(
        "tune", run_tune, "Learn the weights and the confidence from the question lists and the tuning half of the golden questions."
    )
    tune.add_argument("--mended", action="store_true", help="Count questions that the handbook was amended for like new ones.")
    gaps = command("gaps", run_gaps, "List what readers asked and the handbook did not answer.")
    gaps.add_argument("--limit", type=int, default=50, help="Questions to list.")
    return top


def run_build(settings: Settings, full: bool) -> int:
    from bot.building import build_index

    started = time.perf_counter()
    done = build_index(settings.site, settings.index, settings.model, full)
    print(f"{done} ({time.perf_counter() - started:.1f} s)")
    return 0


def run_ask(settings: Settings, question: list[str], after: list[str], page: str, json: bool) -> int:
    from bot.app import create_answerer

    answer = create_answerer(settings).ask(" ".join(question), after, page)
    if json:
        print(_dump(asdict(answer)))
        return 0
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    console.print(Markdown(answer.answer))
    console.print()
    for number, citation in enumerate(answer.citations, 1):
        console.print(f"[{number}] {citation.title}  {settings.public_url}{citation.url}", style="dim", markup=False, highlight=False)
    console.print(f"{answer.status}, {answer.confidence:.0%} sure, {answer.took_ms} ms", style="dim", highlight=False)
    return 0


def run_serve(settings: Settings) -> int:
    import logging
    import signal
    import socket

    from waitress import create_server

    from bot.app import create_app

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as taken:
            raise SettingProblem(
                f"{settings.host}:{settings.port} cannot be served on ({taken.strerror}): "
                "stop what runs there, or choose another with --port.",
                "port-taken",
            ) from None
    server = create_server(create_app(settings), host=settings.host, port=settings.port, threads=settings.threads, ident="portside")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as the first process of a container it would be ignored
    print(f"Site and bot: http://{settings.host}:{server.effective_port}", flush=True)
    server.run()
    return 0


def run_check(settings: Settings, json: bool, fast: bool, write: Path | None, golden: Path | None) -> int:
    from bot.golden import GOLDEN
    from bot.quality import check

    return check(settings, as_json=json, fast=fast, write=write, folder=golden or GOLDEN)


def run_bench(settings: Settings, json: bool) -> int:
    from bot.quality import bench

    return bench(settings, as_json=json)


def run_tune(settings: Settings, mended: bool) -> int:
    from bot.tuning import tune

    return tune(settings, mended)


def run_gaps(settings: Settings, limit: int) -> int:
    from bot.journal import Journal

    rows = Journal(settings.journal, settings.journal_days).gaps(limit)
    for question, status, times, unhelpful in rows:
        print(f"{times:4} × {status:9} {unhelpful} unhelpful  {question}")
    if not rows:
        print("No question went unanswered so far.")
    return 0


def _dump(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2)
