"""Apps: deploying many at once, what Modal knows of them, stopping them."""

import asyncio
import functools
import importlib.util
import io
import json
import os
import pathlib
import pickle
import re
import sys
import time

import modal
import modal.runner
from modal import exception
from modal._utils import blob_utils
from modal._utils.async_utils import synchronizer
from modal.client import _Client
from modal.exception import ImageBuildError, NotFoundError
from modal_proto import api_pb2

from report import emit, failed, message

# Requests to Modal under way at once, where they are many and small.
AT_ONCE = 24

# Seconds that the log of an image that cannot be built may take, and how much of it is told.
SOON = 8
LAST_LINES = 12

# Seconds that a run which is cancelled has for its record, and that its container then has to end.
LEAVING = 30
STOPPING = 40

# Modal lists no more calls of a function at once; and those that are not over.
MOST_CALLS = 1000
OPEN = (
    api_pb2.FUNCTION_CALL_INPUT_STATUS_PENDING,
    api_pb2.FUNCTION_CALL_INPUT_STATUS_RUNNING,
)

# Whose an app is.
TAG_HOME = "changelings-home"

# Names of apps that are ours, and of their changelings.
OURS = re.compile(r"changeling-([a-z0-9]+(?:-[a-z0-9]+)*)")

STATES = {
    api_pb2.APP_STATE_DEPLOYED: "deployed",
    api_pb2.APP_STATE_INITIALIZING: "initializing",
    api_pb2.APP_STATE_STOPPING: "stopping",
    api_pb2.APP_STATE_STOPPED: "stopped",
    api_pb2.APP_STATE_DISABLED: "stopped",
}


@synchronizer.create_blocking
async def _ask(method, message):
    """One message to Modal and its answer, in the loop its client lives in."""
    client = await _Client.from_env()
    return await getattr(client._stub, method)(message)


def ask(method, message):
    return _ask.aio(method, message)


async def _place(environment):
    """The workspace of the token, and the environment by its name, though it may be the default."""
    try:
        workspace, found = await asyncio.gather(
            ask("WorkspaceNameLookup", _empty()),
            ask(
                "EnvironmentGetOrCreate",
                api_pb2.EnvironmentGetOrCreateRequest(deployment_name=environment),
            ),
        )
    except exception.PermissionDeniedError:
        return {}
    return {
        "workspace": workspace.workspace_name or workspace.username,
        "environment": found.metadata.name,
    }


def check(request):
    """Whose token it is, and which environments there are; how many crons the workspace has."""

    async def all_of_it():
        workspace = await ask("WorkspaceNameLookup", _empty())
        emit("workspace", name=workspace.workspace_name or workspace.username)
        environments = await _environments()
        emit("environments", names=environments, chosen=request["environment"])
        await _count_crons(environments)

    asyncio.run(all_of_it())


def inspect(request):
    """What Modal knows of each app in `apps`; with `crons`, how many the whole workspace has."""
    environment = request["environment"] or ""

    async def one(name):
        try:
            emit("app", app=name, **await _found(name, environment))
        except Exception as error:
            failed(error, app=name)

    async def all_of_them():
        emit("place", **await _place(environment))
        await _side_by_side([one(name) for name in request["apps"]])
        if request.get("crons"):
            await _count_crons(await _environments())

    asyncio.run(all_of_them())


async def _found(name, environment):
    """State, version and tags of an app; `absent` when there never was one, or not lately."""
    answer = await ask(
        "AppGetByDeploymentName",
        api_pb2.AppGetByDeploymentNameRequest(name=name, environment_name=environment),
    )
    if not answer.app_id:
        return {"state": "stopped" if answer.previous_app_id else "absent"}
    tags = await ask("AppGetTags", api_pb2.AppGetTagsRequest(app_id=answer.app_id))
    return {
        "state": STATES.get(answer.lifecycle.app_state, "unknown"),
        "app_id": answer.app_id,
        "environment": answer.environment_name,
        "version": answer.lifecycle.version,
        "deployed_at": answer.lifecycle.deployed_at,
        "tags": dict(tags.tags),
    }


async def _environments():
    answer = await ask("EnvironmentList", _empty())
    return [item.name for item in answer.items]


async def _count_crons(environments):
    """Every deployed function of the workspace that has a schedule, by app, as far as we may look."""
    unknown = []

    async def listed(name):
        try:
            return await ask("AppList", api_pb2.AppListRequest(environment_name=name))
        except Exception as error:
            unknown.append(f"{name}: {error}")
            return api_pb2.AppListResponse()

    lists = await _side_by_side([listed(name) for name in environments])
    apps = [
        (environment, app)
        for environment, answer in zip(environments, lists, strict=True)
        for app in answer.apps
        if app.state == api_pb2.APP_STATE_DEPLOYED
    ]

    async def crons(app):
        try:
            layout = await ask(
                "AppGetLayout", api_pb2.AppGetLayoutRequest(app_id=app.app_id)
            )
            asked = [
                ask(
                    "FunctionGetById", api_pb2.FunctionGetByIdRequest(function_id=given)
                )
                for given in layout.app_layout.function_ids.values()
            ]
            functions = await asyncio.gather(*asked)
        except NotFoundError:
            return 0  # Stopped since it was listed.
        except Exception as error:
            unknown.append(f"{app.name or app.description}: {error}")
            return 0
        return sum(
            answer.function.schedule.WhichOneof("schedule_oneof") is not None
            for answer in functions
        )

    counts = await _side_by_side([crons(app) for _, app in apps])
    found = [
        {"app": app.name or app.description, "environment": environment, "crons": count}
        for (environment, app), count in zip(apps, counts, strict=True)
        if count
    ]
    emit("crons", count=sum(counts), apps=found, unknown=unknown)


def deploy(request):
    """Deploys every app in `apps`. One that fails stays as it was, and the others go on."""
    environment = request["environment"]

    async def one(number, app):
        name = app["name"]
        try:
            emit("deploying", app=name)
            secret = await _fill_secret(app["secret"], environment)
            deployed = _load(number, pathlib.Path(app["folder"]) / "app.py").app
            await deployed.deploy.aio(environment_name=environment)
            await _write_down(app, environment)
            await _clean_secret(secret, app["secret"])
            goes_on = None
            if app.get("end_runs"):
                goes_on = await _end_runs(name, environment or "")
            found = await _found(name, environment or "")
            emit("deployed", app=name, goes_on=goes_on, **found)
        except ImageBuildError as error:
            more = await _soon(_log_of.aio(error.image_id)) or ""
            failed(error, app=name, more=more, found=await _still(name, environment))
        except Exception as error:
            failed(error, app=name, found=await _still(name, environment))

    async def all_of_them():
        numbered = list(enumerate(request["apps"]))
        # The first goes alone: layers and files that all share are then there for the others.
        await asyncio.gather(*(one(number, app) for number, app in numbered[:1]))
        await _side_by_side(
            [one(number, app) for number, app in numbered[1:]], request["parallel"]
        )

    asyncio.run(all_of_them())


async def _end_runs(name, environment):
    """Ends the calls of an app that are under way or wait; None, or why some may go on.

    Not by ending their containers, as the client does when it deploys anew: Modal gives what they work on to
    others."""
    try:
        app_id = await _cancel(name, environment)
        for stop, patience in ((False, LEAVING), (True, STOPPING)):
            until = time.monotonic() + patience
            while living := await _containers(app_id, environment):
                if time.monotonic() > until:
                    break
                if stop:
                    # Whether that helped, the next look shows.
                    stops = [
                        ask("ContainerStop", api_pb2.ContainerStopRequest(task_id=task))
                        for task in living
                    ]
                    await asyncio.gather(*stops, return_exceptions=True)
                await asyncio.sleep(1)
            else:
                return None
        return f"{', '.join(living)} did not end within {LEAVING + STOPPING} s"
    except Exception as error:
        return message(error)


async def _cancel(name, environment):
    """Its calls that have not ended; answers the app's id."""
    for function in ("fire", "run"):
        try:
            found = await ask(
                "FunctionGet",
                api_pb2.FunctionGetRequest(
                    app_name=name, object_tag=function, environment_name=environment
                ),
            )
        except NotFoundError:
            continue  # With one repository there is no `fire`.
        tail = api_pb2.FunctionCallFetchRequest.Tail(count=MOST_CALLS)
        listed = await ask(
            "FunctionCallFetch",
            api_pb2.FunctionCallFetchRequest(function_id=found.function_id, tail=tail),
        )
        cancels = [
            ask(
                "FunctionCallCancel",
                api_pb2.FunctionCallCancelRequest(
                    function_call_id=call.function_call_id
                ),
            )
            for call in listed.function_call_inputs
            if call.status in OPEN
        ]
        said = await asyncio.gather(*cancels, return_exceptions=True)
        for error in said:
            # One that is over by now is what is wanted.
            if isinstance(error, Exception) and not isinstance(error, NotFoundError):
                raise error
    return found.handle_metadata.app_id


async def _containers(app_id, environment):
    request = api_pb2.TaskListRequest(environment_name=environment, app_id=app_id)
    return [task.task_id for task in (await ask("TaskList", request)).tasks]


async def _no_commit():
    return None


# The client would start git four times for each app. What is deployed is no state of a repository.
modal.runner.get_git_commit_info = _no_commit


def _hashing_once(hashes):
    """The program for the container is large, and the same file in every app: it is read once."""
    known = {}

    def once(data, *given, **more):
        if not isinstance(data, io.BufferedReader) or given:
            return hashes(data, *given, **more)
        file = os.fstat(data.fileno())
        key = (file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, *more.items())
        if key not in known:
            known[key] = hashes(data, **more)
        return known[key]

    return once


blob_utils.get_upload_hashes = _hashing_once(blob_utils.get_upload_hashes)


def _load(number, file):
    """The app's file as a module of its own, though all are called alike."""
    spec = importlib.util.spec_from_file_location(f"changeling_app_{number}", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    exec(_compiled(file.read_bytes()), vars(module))
    return module


@functools.cache
def _compiled(text):
    """Apps differ in their `job.json` alone."""
    return compile(text, "app.py", "exec")


async def _soon(coroutine):
    """What it gives, when that comes soon."""
    try:
        return await asyncio.wait_for(coroutine, SOON)
    except Exception:
        return None


async def _still(name, environment):
    """What is there after a deploy failed: it may have failed after it was done."""
    return await _soon(_found(name, environment or ""))


@synchronizer.create_blocking
async def _log_of(image):
    """The last lines of an image's log."""
    client = await _Client.from_env()
    request = api_pb2.ImageJoinStreamingRequest(
        image_id=image, timeout=SOON, include_logs_for_finished=True
    )
    text = ""
    async for response in client._stub.ImageJoinStreaming.unary_stream(request):
        text += "".join(log.data for log in response.task_logs)
        if response.eof or response.result.status:
            break
    return "\n".join(text.splitlines()[-LAST_LINES:])


async def _fill_secret(secret, environment):
    """Its id, with these variables in it. Others stay while what needs them may be all that is deployed."""
    if secret is None:
        return None
    where = {
        "deployment_name": secret["name"],
        "environment_name": environment or "",
    }
    try:
        request = api_pb2.SecretGetOrCreateRequest(**where)
        found = await ask("SecretGetOrCreate", request)
    except NotFoundError:
        request = api_pb2.SecretGetOrCreateRequest(
            **where,
            object_creation_type=api_pb2.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS,
            env_dict=secret["values"],
        )
        return (await ask("SecretGetOrCreate", request)).secret_id
    await _update_secret(found.secret_id, secret["values"])
    return found.secret_id


async def _clean_secret(id, secret):
    """Takes out what is no longer named."""
    if secret is None:
        return
    info = await ask("SecretGetInfo", api_pb2.SecretGetInfoRequest(secret_id=id))
    stale = set(info.metadata.keys) - secret["values"].keys()
    if stale:
        await _update_secret(id, dict.fromkeys(stale))


async def _update_secret(id, values):
    """Sets variables; those without a value are taken out."""
    update = api_pb2.SecretUpdateRequest.Update
    updates = [update(key=key, value=value) for key, value in values.items()]
    request = api_pb2.SecretUpdateRequest(secret_id=id, updates=updates)
    await ask("SecretUpdate", request)


async def _write_down(app, environment):
    """What is deployed, on its volume, where `deploy --adopt` finds it on another machine."""
    volume = await modal.Volume.from_name(
        app["volume"], environment_name=environment, create_if_missing=True
    ).hydrate.aio()
    folder = pathlib.Path(app["folder"])
    async with volume.batch_upload(force=True) as batch:
        batch.put_file(folder / "job.json", "/deployed.json")
        if app.get("keep_template"):
            batch.put_file(folder / "template.wasm", "/template.wasm")


def adopt(request):
    """What is deployed under each name in `apps`, and its files written below `into`."""
    environment = request["environment"]

    async def one(app):
        name = app["name"]
        try:
            found = await _found(name, environment or "")
            volume = modal.Volume.from_name(app["volume"], environment_name=environment)
            into = pathlib.Path(app["into"])
            for source, target in (
                ("deployed.json", "job.json"),
                ("template.wasm", "template.wasm"),
            ):
                content = await _read(volume, source)
                if content is not None:
                    into.mkdir(mode=0o700, parents=True, exist_ok=True)
                    (into / target).write_bytes(content)
            emit("app", app=name, **found)
        except Exception as error:
            failed(error, app=name)

    async def all_of_them():
        apps = request["apps"]
        if apps is None:  # all of ours
            listed = await ask(
                "AppList", api_pb2.AppListRequest(environment_name=environment or "")
            )
            ours = [
                (OURS.fullmatch(app.name or app.description), app)
                for app in listed.apps
            ]
            into = pathlib.Path(request["into"])
            apps = [
                {"name": found[0], "volume": found[0], "into": into / found[1]}
                for found, app in ours
                if found and app.state == api_pb2.APP_STATE_DEPLOYED
            ]
        await _side_by_side([one(app) for app in apps])

    asyncio.run(all_of_them())


async def _read(volume, file):
    """A file of a volume; None when there is no such file, or no such volume."""
    try:
        return b"".join([piece async for piece in volume.read_file.aio(file)])
    except (NotFoundError, FileNotFoundError):
        return None


async def _home_on(volume, environment):
    """Which home deployed what a volume belongs to; None: it does not say."""
    volume = modal.Volume.from_name(volume, environment_name=environment)
    deployed = await _read(volume, "deployed.json")
    try:
        return json.loads(deployed or b"{}").get("home")
    except (ValueError, AttributeError):
        return None


def stop(request):
    """Stops every app in `apps`, and deletes what else is named there. Gone already is fine."""
    environment = request["environment"]

    async def one(app, workspace):
        name = app["name"]
        try:
            if app["workspace"] and workspace and app["workspace"] != workspace:
                emit("error", app=name, kind="elsewhere", message=app["workspace"])
                return
            found = await _found(name, environment or "")
            if found.get("app_id"):
                home = found["tags"].get(TAG_HOME)
                # Without the tag it may still be the one that was made here.
                is_ours = (home or app["home"]) == app["home"]
                is_ours = is_ours and (home or found["app_id"] == app["app_id"])
            else:
                # Of an app that is gone, what is left says whose it was.
                home = await _home_on(app["volume"], environment)
                is_ours = home in (None, app["home"])
            if not (is_ours or app["take_over"]):
                emit("error", app=name, kind="not-ours", message=home or "")
                return
            if found.get("app_id"):
                source = api_pb2.APP_STOP_SOURCE_PYTHON_CLIENT
                await ask(
                    "AppStop",
                    api_pb2.AppStopRequest(app_id=found["app_id"], source=source),
                )
            where = {"environment_name": environment, "allow_missing": True}
            for kind, named in app["delete"].items():
                if named:
                    objects = getattr(modal, kind.capitalize()).objects
                    await objects.delete.aio(named, **where)
            emit("stopped", app=name, was=found["state"])
        except Exception as error:
            failed(error, app=name)

    async def all_of_them():
        workspace = (await _place(environment or "")).get("workspace")
        await _side_by_side([one(app, workspace) for app in request["apps"]])

    asyncio.run(all_of_them())


def verify(request):
    """Calls the function `check` of each app in `apps`, and tells what it answers."""
    environment = request["environment"]

    async def one(name):
        try:
            function = modal.Function.from_name(
                name, "check", environment_name=environment
            )
            call = await function.spawn.aio()
            result = await _result(call.object_id)
            if result.status != api_pb2.GenericResult.GENERIC_STATUS_SUCCESS:
                said = result.exception or "the function could not be started"
                emit("error", app=name, kind="container", message=said)
                return
            emit("verified", app=name, report=_report(_plain(result.data)))
        except Exception as error:
            failed(error, app=name)

    asyncio.run(_side_by_side([one(name) for name in request["apps"]]))


async def _result(call):
    """How a call ended, when it has."""
    while True:
        answer = await ask(
            "FunctionGetOutputs",
            api_pb2.FunctionGetOutputsRequest(
                function_call_id=call,
                timeout=50,
                last_entry_id="0-0",
                clear_on_success=False,
            ),
        )
        if answer.outputs:
            return answer.outputs[0].result
        if answer.num_unfinished_inputs == 0:
            raise RuntimeError("Modal no longer knows how the call ended")


def _report(printed):
    """What `changeling exec --check` said, when it lived to say it."""
    try:
        return json.loads(printed)
    except ValueError:
        return None


class _Plain(pickle.Unpickler):
    """Opens what was packed of text, numbers, lists and tables; anything else could run code here."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"the answer holds a {module}.{name}")


def _plain(data):
    return _Plain(io.BytesIO(data)).load()


async def _side_by_side(coroutines, at_once=AT_ONCE):
    """Their results in order, with so many under way at once."""
    slots = asyncio.Semaphore(at_once)

    async def in_a_slot(coroutine):
        async with slots:
            return await coroutine

    return await asyncio.gather(*(in_a_slot(coroutine) for coroutine in coroutines))


def _empty():
    from google.protobuf.empty_pb2 import Empty

    return Empty()
