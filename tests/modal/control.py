"""What a test tells the control plane, and asks it: one JSON object, `{"do": ..., ...}`."""

import json

import apps
import calls
from aiohttp import web
from modal_proto import api_pb2
from service import Fault, as_json

OPERATIONS = {}


def operation(handler):
    OPERATIONS[handler.__name__] = handler
    return handler


async def answer(plane, request: dict) -> web.Response:
    name = request.pop("do")
    try:
        result = await OPERATIONS[name](plane, **request)
    except Exception as error:  # whatever it is, the test is to see it
        return web.json_response({"error": f"{name}: {error!r}"}, status=400)
    return web.json_response({"result": result})


def app_of(plane, name: str):
    found = [app for app in plane.state.apps.values() if app.name == name]
    if not found:
        raise LookupError(f"no app {name}")
    return found[-1]


def function_of(plane, app: str, function: str):
    return plane.state.functions[app_of(plane, app).functions[function]]


def status_of(given) -> str:
    name = api_pb2.FunctionCallInputStatus.Name(given.status)
    return name.removeprefix("FUNCTION_CALL_INPUT_STATUS_").lower()


def as_told(plane, given) -> dict:
    return {
        "call": given.call_id,
        "input": given.id,
        "function": plane.state.functions[given.function_id].name,
        "trigger": given.trigger,
        "status": status_of(given),
        "tasks": given.tasks,
        "exception": given.result.result.exception if given.result else "",
    }


# Faults.


@operation
async def fault(plane, call, kind, times=1_000_000, **more):
    plane.journal.faults.insert(0, Fault(call, kind, times, **more))


@operation
async def recover(plane):
    plane.journal.faults.clear()
    plane.broken_images.clear()


@operation
async def set(plane, name, value):
    """`cron_limit`, `clock` (seconds since 1970 that it is now), `broken_images` (parts of commands of
    images that cannot be built), `build_seconds`, `grace`, `room` (whether there is any for new containers),
    `environments`, `workspace`, `setup`."""
    state = plane.state
    if name == "clock":
        state.clock_offset += value - state.now()
    elif name in ("cron_limit", "environments", "workspace"):
        setattr(state, name, value)
    elif name in ("broken_images", "build_seconds", "grace", "room", "setup"):
        setattr(plane, name, value)
        plane.schedule()
    else:
        raise KeyError(name)


@operation
async def down(plane):
    """No connection is taken any more; those there are end."""
    plane.server.close()


# Things that happen.


@operation
async def fire(plane, app, at=None):
    """What every cron of an app does; the calls."""
    found = app_of(plane, app)
    if not found.is_deployed:
        raise LookupError(f"{app} is stopped: its crons do not fire")
    functions = [plane.state.functions[id] for id in found.functions.values()]
    scheduled = [function for function in functions if function.definition.HasField("schedule")]
    given = [
        calls.enqueue(
            plane,
            function,
            api_pb2.FunctionInput(data_format=api_pb2.DATA_FORMAT_PICKLE),
            api_pb2.FUNCTION_CALL_INVOCATION_TYPE_ASYNC,
            "cron",
            at,
        )
        for function in scheduled
    ]
    return [one.call_id for one in given]


@operation
async def deliver(plane, call):
    """Once more, to a new container."""
    return plane.deliver(plane.state.input_of_call(call)).id


@operation
async def crash(plane, call):
    """Every process of the containers that have a call ends, at once."""
    for task in _containers(plane, call):
        task.kill()


@operation
async def preempt(plane, call):
    for task in _containers(plane, call):
        task.preempt()


def _containers(plane, call):
    found = [task for task in plane.running.values() if task.given.call_id == call]
    if not found:
        raise LookupError(f"no container runs {call}")
    return found


@operation
async def stop_app(plane, app):
    """As somebody does on Modal's web pages."""
    await apps.stop(plane, app_of(plane, app))


@operation
async def time_out(plane, call):
    """As when Modal's own limit is reached."""
    for task in _containers(plane, call):
        task.out_of_time(task.given)


@operation
async def delete_secret(plane, name):
    """As somebody does on Modal's web pages."""
    [id] = [secret.id for secret in plane.state.secrets.values() if secret.name == name]
    del plane.state.secrets[id]


@operation
async def finish(plane, call, status):
    """Ends a call that way, whatever its container does."""
    value = api_pb2.FunctionCallInputStatus.Value(f"FUNCTION_CALL_INPUT_STATUS_{status.upper()}")
    calls.finish(plane, plane.state.input_of_call(call), value)


# Waiting.


@operation
async def wait_for_call(plane, call, seconds=120):
    """Until it is done and no container has it any more."""
    given = plane.state.input_of_call(call)

    def over():
        return given.is_done and not any(task.given is given for task in plane.running.values())

    if not await plane.state.changes.until(over, seconds):
        raise TimeoutError(f"{call} is {status_of(given)} after {seconds} s:\n{_printed(plane, call)}")
    return as_told(plane, given)


@operation
async def wait_for_log(plane, text, seconds=60):
    """Until a container printed it."""
    logs = plane.state.logs
    if not await plane.state.changes.until(lambda: any(text in log.item.data for log in logs), seconds):
        raise TimeoutError(f"nobody printed {text} in {seconds} s:\n{_printed(plane)}")


@operation
async def wait_for_request(plane, call, times=1, seconds=60):
    def count():
        return sum(received.call == call for received in plane.journal.received)

    if not await plane.state.changes.until(lambda: count() >= times, seconds):
        raise TimeoutError(f"{call} was called {count()} times in {seconds} s")


# What was received, and what there is.


@operation
async def violations(plane):
    return plane.journal.violations


@operation
async def received(plane, call=None):
    return [one.as_json() for one in plane.journal.received if call in (None, one.call)]


@operation
async def call_names(plane):
    """Of everything received, in its order."""
    return [one.call for one in plane.journal.received]


@operation
async def search(plane, texts, besides=()):
    """Where texts are in what was received (without some calls), uploaded, committed and printed."""
    found = []

    def look(where, content: bytes):
        found.extend(f"{where}: {text}" for text in texts if text.encode() in content)

    for one in plane.journal.received:
        if one.call not in besides:
            look(one.call, one.request.SerializeToString())
        look(f"{one.call} (metadata)", json.dumps(one.metadata).encode())
    for path in sorted(plane.state.folder.rglob("*")):
        if path.is_file():
            look(str(path.relative_to(plane.state.folder)), path.read_bytes())
    for log in plane.state.logs:
        look(f"log of {log.task_id}", log.item.data.encode())
    return found


@operation
async def definitions(plane, app):
    """Functions of an app as they were received, by name, each with the images it stands on."""
    functions = {}
    for name, id in app_of(plane, app).functions.items():
        definition = plane.state.functions[id].definition
        images, image = [], definition.image_id
        while image:
            request = plane.state.images[image].request
            images.append(as_json(request))
            image = request.image.base_images[0].image_id if request.image.base_images else ""
        mounts = {id: [as_json(file) for file in plane.state.mounts[id].files] for id in definition.mount_ids}
        functions[name] = {"function": as_json(definition), "images": images, "mounts": mounts}
    return functions


@operation
async def all_apps(plane):
    return [
        {
            "name": app.name,
            "id": app.id,
            "state": api_pb2.AppState.Name(app.state).removeprefix("APP_STATE_").lower(),
            "environment": app.environment,
            "tags": app.tags,
            "functions": sorted(app.functions),
            "versions": len(app.history),
            "publish": as_json(app.history[-1]) if app.history else None,
        }
        for app in plane.state.apps.values()
    ]


@operation
async def all_calls(plane, app=None):
    wanted = app and app_of(plane, app).id
    return [as_told(plane, given) for given in plane.state.inputs.values() if wanted in (None, given.app_id)]


@operation
async def secrets(plane):
    """Names of variables by name of secret."""
    return {secret.name: sorted(secret.values) for secret in plane.state.secrets.values()}


@operation
async def secret_values(plane, name):
    [found] = [secret for secret in plane.state.secrets.values() if secret.name == name]
    return found.values


@operation
async def volumes(plane):
    """Folders of what is committed, by name; a test may look and write there."""
    return {volume.name: str(volume.folder) for volume in plane.state.volumes.values()}


@operation
async def dicts(plane):
    """How many entries each has."""
    return {found.name: len(found.values) for found in plane.state.dicts.values()}


@operation
async def printed(plane, call=None):
    return _printed(plane, call)


def _printed(plane, call=None) -> str:
    logs = plane.state.logs
    return "".join(log.item.data for log in logs if call in (None, log.item.function_call_id))


@operation
async def containers(plane):
    """Those that ended, in that order."""
    return [
        {
            "task": task.id,
            "call": task.given.call_id,
            "exit_code": task.exit_code,
            "left_behind": task.left_behind,
        }
        for task in plane.ended
    ]
