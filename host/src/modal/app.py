"""A changeling on Modal: one app, made by `changeling deploy NAME`; deploy again to change it.

job.json says what differs between changelings: repositories, template, schedule, image, names
of secrets. This file tells Modal so. In the container it starts `changeling exec`, the program
that does the work, and does for it what only Modal's client can do.

run    works on one repository: copies it, lets the agent work, opens the pull request. With
       one repository the schedule starts it. It and `check` have the secrets.
fire   exists only with several repositories: started by the schedule, it starts a `run` for
       each of them. It has no secrets.
check  tells whether a run could work; `changeling deploy --verify` starts it.

The secrets are in the environments of this process and of `changeling exec`, both root. The
agent is another user and gets what its permissions name: before it starts `exec` closes the
socket to Modal, and tries as that user to read the rest. The volume keeps records and bundles.

To stop it for good: `changeling undeploy NAME`, or `modal app stop changeling-NAME`. To take
it off the schedule: `changeling disable NAME`. To see what it did: `changeling status NAME`.
"""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen

import modal
from modal.exception import InputCancellation

PLACE = Path("/changeling")  # in the container
HERE = Path(__file__).parent if modal.is_local() else PLACE
JOB = json.loads((HERE / "job.json").read_text())
APP = JOB["app"]
TARGETS = range(len(JOB["jobs"]))  # repositories
SECRET = APP["secret"] or {"name": "", "variables": []}


def image():
    """What changes least comes first; files are mounted last, so they build nothing."""
    base, python = APP["image"]["base"], APP["image"]["python"]
    built = modal.Image.from_registry(base, add_python=python)
    for step in APP["image"]["steps"]:
        [(what, given)] = step.items()
        if what == "copy":
            built = built.add_local_file(HERE / given[0], given[1], copy=True)
        else:  # The word is the method's name.
            built = getattr(built, what)(*given)
    files = APP["files"]  # One mount: each takes the client several requests.
    return built.add_local_dir(HERE, PLACE, ignore=lambda path: str(path) not in files)


app = modal.App(APP["name"], tags=APP["tags"])
volume = modal.Volume.from_name(APP["volume"], create_if_missing=True)
guard = modal.Dict.from_name(APP["guard"], create_if_missing=True)
cron = APP["schedule"] and modal.Cron(APP["schedule"], timezone=APP["timezone"])
# A container of its own, so that no run finds what another left; and never paid twice.
common = {"image": image(), "single_use_containers": True, "retries": 0}
secrets = [modal.Secret.from_name(SECRET["name"], required_keys=SECRET["variables"])]
private = {**common, "secrets": secrets if SECRET["variables"] else []}


@app.function(
    **private,
    schedule=cron if len(TARGETS) == 1 else None,
    volumes={"/changeling/volume": volume},
    timeout=APP["timeout_seconds"],
    max_containers=APP["max_containers"],
    **{key: APP[key] for key in ("cpu", "memory", "gpu", "ephemeral_disk", "region")},
)
def run(target: int = 0, by: str = "schedule", fired: int = 0):
    """Works on one repository; an error says that it did not go well, and why."""
    attempt = os.urandom(6).hex()
    options = [f"--target={target}", f"--by={by}", "--volume=/changeling/volume"]
    options += [f"--fired={fired}"] if fired else []
    options += [f"--call={modal.current_function_call_id()}", f"--attempt={attempt}"]
    signals = []
    with execute(*options) as child:

        def stop(number, _frame):
            signals.append(number)
            if len(signals) == 1:  # Asked twice it would end without its record.
                child.terminate()
                signal.alarm(25)  # Modal kills after 30 seconds.

        signal.signal(signal.SIGALRM, lambda *_: child.kill())
        # Modal sends the first two when it needs the machine, the third on cancelling.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, stop)
        ended = answer(child, attempt)
    if child.returncode == 0:
        return ended
    if signals and (ended is None or child.returncode == 130):
        # Interrupted: Modal delivers the same input again, unless it was cancelled.
        raise InputCancellation if signal.SIGUSR1 in signals else KeyboardInterrupt
    died = f"`changeling exec` died with exit code {child.returncode}; see the log"
    raise RuntimeError(ended["sentence"] if ended else died)


@app.function(**private, volumes={"/changeling/volume": volume}, timeout=600)
def check():
    """Whether a run could work, and the agent would reach nothing it must not."""
    with execute("--check", "--volume=/changeling/volume") as child:
        return child.communicate()[0].decode()


if len(TARGETS) > 1:

    @app.function(**common, schedule=cron, timeout=300, max_containers=1)
    def fire():
        """Starts a `run` for each repository, of which `max_containers` work at once."""
        # In any order: when there is no time for all, the same ones are not always last.
        for target in sorted(TARGETS, key=lambda _: os.urandom(6)):
            if claim(f"{modal.current_input_id()}/{target}", os.urandom(6).hex()):
                run.spawn(target, "schedule", int(time.time()))


def execute(*options):
    """Starts what does the work. Nothing else that is started from here gets the secrets."""
    environment = {**os.environ, "CHANGELINGS_HOME": str(PLACE / "home")}
    for name in SECRET["variables"]:
        os.environ.pop(name, None)
    command = [APP["runner"], "exec", str(PLACE / "job.json"), *options]
    return Popen(  # In a session of its own signals reach it through `run` alone.
        command, env=environment, stdin=PIPE, stdout=PIPE, start_new_session=True
    )


def answer(child, attempt):
    """Answers its questions, one JSON document a line, until it says how it ended."""
    for line in child.stdout:
        said = json.loads(line)
        if "ended" in said:
            return said["ended"]
        try:
            if said["ask"] == "start":
                reply = {"answer": claim(modal.current_input_id(), attempt)}
            else:
                reply = {"answer": volume.commit() or True}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        reply = json.dumps({"number": said["number"], **reply}) + "\n"
        with suppress(BrokenPipeError):  # It may have said more before it died.
            os.write(child.stdin.fileno(), reply.encode())


def claim(key, attempt):
    """Whether this attempt is the first: Modal delivers an input again after a crash."""
    return guard.put(key, attempt, skip_if_exists=True) or guard.get(key) == attempt
