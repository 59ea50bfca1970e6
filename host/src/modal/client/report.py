"""How answers reach `changeling`, and what Modal's errors are called there.

Modal's client (1.6) has no public way to list calls, to count crons or to replace a secret. Its own
command line sends messages for these, and so do we, in `deploy.py` and `look.py`; the version of the
client is checked before any of this is started.
"""

import asyncio
import json
import os
import sys
import threading
import time

_lock = threading.Lock()
_answers = None
_last = time.monotonic()


def take_stdout():
    """Keeps standard output for answers: whatever else is printed goes to standard error."""
    global _answers
    _answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def went_on():
    """A request has come, or a piece of what it asked for."""
    global _last
    _last = time.monotonic()


def emit(event, **fields):
    """One answer."""
    if event != "alive":
        went_on()
    line = json.dumps({"event": event, **fields})
    with _lock:
        _answers.write(line + "\n")
        _answers.flush()


def quiet_for():
    """Seconds since something came of a request, or it came itself: more than a sign of life."""
    return time.monotonic() - _last


def failed(error, app=None, more="", found=None):
    """An answer that says what went wrong, with one app or with all; `more` is what led to it, `found`
    what is there after it."""
    fields = {"app": app} if app else {}
    if found:
        fields["found"] = found
    said = "\n".join(filter(None, [message(error), more]))
    emit("error", kind=kind(error), message=said, **fields)


def message(error):
    """What happened, with the causes the client hides."""
    said = [str(error) or type(error).__name__]
    cause = error.__cause__
    while (
        cause is not None
        and str(cause)
        and str(cause) not in said[-1]
        and len(said) < 4
    ):
        said.append(str(cause))
        cause = cause.__cause__
    return ": ".join(said)


def kind(error):
    """One word of a closed set, which decides what `changeling` advises."""
    # No client, no classes of errors.
    if isinstance(error, ImportError):
        return "no-client" if error.name == "modal" else "other"
    from modal import exception

    said = str(error).lower()
    if isinstance(error, exception.AuthError):
        return "token-missing" if "missing" in said else "token-wrong"
    if isinstance(error, exception.PermissionDeniedError):
        return "not-allowed"
    if isinstance(error, exception.ImageBuildError) or "image build for im-" in said:
        return "image-build"
    if "cron" in said and "limit" in said:
        return "cron-limit"
    if isinstance(error, exception.NotFoundError):
        # Apps, secrets and volumes are not found *in* an environment.
        if said.startswith("environment"):
            return "environment-missing"
        return "secret-missing" if "secret" in said else "not-found"
    # Before Python 3.11 the last is of a kind of its own.
    away = (
        exception.ConnectionError,
        exception.TimeoutError,
        OSError,
        asyncio.TimeoutError,
    )
    if isinstance(error, away):
        return "unreachable"
    if isinstance(error, (exception.ServiceError, exception.InternalError)):
        return "failing"
    if "stopped" in said and "app" in said:
        return "stopped"
    if isinstance(error, (exception.InvalidError, exception.ResourceExhaustedError)):
        return "invalid"
    return "other"
