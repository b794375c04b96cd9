"""The error tree. Each message is fit to be shown: what happened, and what to do.

PortsideError
├── QuestionRefused       empty-question, question-too-long, control-characters
├── RequestRefused        the faces' own: not-json, invalid-request, unknown-answer
├── SiteProblem           site-missing, site-empty
├── IndexProblem          index-missing, index-broken, index-version, index-model, index-stale
├── ModelProblem          model-missing, model-changed, model-export
└── SettingProblem        setting-wrong, port-taken, slack-not-configured

Knows nothing of HTTP, Slack or the terminal: `status` and `exit_code` are for the faces to use.
"""


class PortsideError(Exception):
    """Base of everything that Portside says on purpose; anything else is a bug."""

    code = "internal"
    status = 500
    exit_code = 1

    def __init__(self, message: str, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.status = status or self.status


class QuestionRefused(PortsideError):
    """The question cannot be asked as it stands."""

    code, status, exit_code = "invalid-question", 422, 2


class RequestRefused(PortsideError):
    """The request around the question is wrong."""

    code, status, exit_code = "invalid-request", 400, 2


class SiteProblem(PortsideError):
    """There is no built site to read."""

    code, status, exit_code = "site-missing", 503, 3


class IndexProblem(PortsideError):
    """The index is missing, broken, or does not fit what it should serve."""

    code, status, exit_code = "index-missing", 503, 4


class ModelProblem(PortsideError):
    """The embedding model is missing or is not the one that was reviewed."""

    code, status, exit_code = "model-missing", 503, 5


class SettingProblem(PortsideError):
    """A setting has a value that cannot be used."""

    code, status, exit_code = "setting-wrong", 500, 6
