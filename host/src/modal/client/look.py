"""What goes on at Modal: calls, records and files of runs; starting a run, and following it.

What only the client's own command line can do otherwise (listing calls, reading the log of one) is asked
with the messages that command line sends.
"""

import asyncio
import io
import json
import pathlib
import re
import time

import pulse
from grpclib.exceptions import StreamTerminatedError
from modal import exception
from modal._functions import _Function
from modal._utils.async_utils import synchronizer
from modal.client import _Client
from modal.exception import NotFoundError
from modal.volume import FileEntryType, _Volume
from modal_proto import api_pb2
from report import emit, failed, went_on

# Bytes of a record, and of one file of a run.
MOST_RECORD = 4 * 1024 * 1024
MOST_FILE = 64 * 1024 * 1024
# Requests to Modal under way at once.
AT_ONCE = 24
# Seconds that one question for the end of a call waits for it at Modal, and how much longer it may take.
LONG_POLL = 8.0
GRACE = 8.0
# Seconds without an answer to that until it is given up.
LONGEST_SILENCE = 300.0
# Seconds that one stream of a log is kept open.
STREAM = 50.0
# Seconds that the last lines of a log may take after the end of their call, and how long a silence says
# that there are no more.
STRAGGLERS = 3.0
QUIET = 0.7
# Entries of the log of a call that is over, or began before somebody looked; Modal gives no more at once.
MOST_ENTRIES = 1000

# What goes over by itself: the network, and what Modal says when it is not well.
PASSING = (
    exception.ConnectionError,
    exception.InternalError,
    exception.ServiceError,
    exception.TimeoutError,
    StreamTerminatedError,
    OSError,
    # Before Python 3.11 neither of these is the other.
    TimeoutError,
    asyncio.TimeoutError,
)

# Of calls that are not over.
OPEN = (
    api_pb2.FUNCTION_CALL_INPUT_STATUS_PENDING,
    api_pb2.FUNCTION_CALL_INPUT_STATUS_RUNNING,
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@synchronizer.create_blocking
async def look(request):
    """Calls, and the records that are not known yet, of every app in `apps`."""
    client = await _Client.from_env()
    at_once = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_look_at(client, app, at_once) for app in request["apps"]))


async def _look_at(client, app, at_once):
    name, environment = app["name"], app["environment"]
    try:
        listed = [
            _calls(client, environment, name, function, app["calls"], at_once)
            for function in app["functions"]
        ]
        volume, *calls = await asyncio.gather(
            _volume(client, environment, app["volume"], at_once), *listed
        )
        deployed = any(found is not None for found in calls)
        over = {}
        for function, found in zip(app["functions"], calls):
            for call in found or ():
                over[call.function_call_id] = call.status not in OPEN
                emit("call", app=name, function=function, **_described(call))
        if volume is not None:
            await _records(client, volume, app, over, at_once)
        cut = any(len(found or ()) >= app["calls"] for found in calls)
        emit("looked", app=name, deployed=deployed, volume=volume is not None, cut=cut)
    except Exception as error:
        failed(error, app=name)


async def _calls(client, environment, app, function, count, at_once):
    """The newest `count` of them; None when no such function is deployed."""
    async with at_once:
        try:
            found = await client._stub.FunctionGet(
                api_pb2.FunctionGetRequest(
                    app_name=app,
                    object_tag=function,
                    environment_name=environment or "",
                )
            )
        except NotFoundError:
            return None
        tail = api_pb2.FunctionCallFetchRequest.Tail(count=count)
        request = api_pb2.FunctionCallFetchRequest(
            function_id=found.function_id, tail=tail
        )
        return list(
            (await client._stub.FunctionCallFetch(request)).function_call_inputs
        )


def _described(call):
    def optional(field, read=lambda value: value):
        return read(getattr(call, field)) if call.HasField(field) else None

    return {
        "call": call.function_call_id,
        "enqueued": optional("enqueued_at", lambda at: at.ToJsonString()),
        "started": optional("started_at", lambda at: at.ToJsonString()),
        "seconds": optional("execution_time_seconds"),
        "status": _word(
            api_pb2.FunctionCallInputStatus, "FUNCTION_CALL_INPUT_STATUS_", call.status
        ),
    }


def _word(kind, prefix, value):
    """`init failure` of `FUNCTION_CALL_INPUT_STATUS_INIT_FAILURE`; a number that is newer than the client."""
    try:
        return kind.Name(value).removeprefix(prefix).replace("_", " ").lower()
    except ValueError:
        return str(value)


async def _volume(client, environment, name, at_once):
    """None when there is none yet."""
    async with at_once:
        try:
            return await _Volume.from_name(name, environment_name=environment).hydrate(
                client
            )
        except NotFoundError:
            return None


async def _records(client, volume, wanted, over, at_once):
    """Records that are complete, and of those that are not, what was written down when they began; `over`
    says of each call whether Modal says that it has ended."""
    app, known = wanted["name"], set(wanted["known"])
    new = [
        key
        for key in await _names(volume, "records", FileEntryType.DIRECTORY, at_once)
        if key not in known
    ]
    complete = set(known)

    async def record(key):
        text = await _read(volume, f"records/{key}/record.json", at_once)
        if text is not None:
            complete.add(key)
            emit("record", app=app, key=key, record=text)

    await asyncio.gather(*(record(key) for key in new))
    begun = await _names(volume, "started", FileEntryType.FILE, at_once)
    keys = [name.removesuffix(".json") for name in begun if name.endswith(".json")]

    open_keys = [
        key for key in keys if key not in complete and key.split(".")[0] in over
    ]
    # A call that was delivered twice ends with the first of its containers; the other may be at work.
    living = None
    if any(over[key.split(".")[0]] for key in open_keys):
        living = await _containers(client, wanted, at_once)

    async def started(key):
        text = await _read(volume, f"started/{key}.json", at_once)
        task = text.get("task") if isinstance(text, dict) else None
        known = living is not None and isinstance(task, str)
        lives = task in living if known else None
        if lives is False:
            # It may have ended since the records were listed.
            await record(key)
            if key in complete:
                return
        emit("started", app=app, key=key, started=text, lives=lives)

    await asyncio.gather(*(started(key) for key in open_keys))


async def _containers(client, app, at_once):
    """Ids of those that an app has now; None when Modal does not say."""
    async with at_once:
        try:
            found = await client._stub.FunctionGet(
                api_pb2.FunctionGetRequest(
                    app_name=app["name"],
                    object_tag=app["functions"][0],
                    environment_name=app["environment"] or "",
                )
            )
            request = api_pb2.TaskListRequest(
                environment_name=app["environment"] or "",
                app_id=found.handle_metadata.app_id,
            )
            listed = await client._stub.TaskList(request)
        except (exception.PermissionDeniedError, NotFoundError):
            return None
    return {task.task_id for task in listed.tasks}


async def _names(volume, folder, kind, at_once):
    """What is in a folder of the volume, by name; strange names are left out."""
    async with at_once:
        try:
            entries = await volume.listdir(folder)
        except (NotFoundError, FileNotFoundError):
            return []
    names = [
        pathlib.PurePosixPath(entry.path).name
        for entry in entries
        if entry.type == kind
    ]
    return [name for name in names if NAME.fullmatch(name)]


async def _read(volume, path, at_once):
    """A JSON document of the volume; None when it is not there, or not whole."""
    data = bytearray()
    async with at_once:
        try:
            async for piece in volume.read_file(path):
                went_on()
                data += piece
                if len(data) > MOST_RECORD:
                    return None
        except (NotFoundError, FileNotFoundError):
            return None
    try:
        return json.loads(data)
    except ValueError:
        return None


@synchronizer.create_blocking
async def forgive(request):
    """Puts onto the volume of every app in `apps` what its next call has to forgive."""
    client = await _Client.from_env()
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(app):
        name, environment = app["name"], app["environment"]
        try:
            volume = await _volume(client, environment, app["volume"], at_once)
            if volume is not None:
                text = json.dumps(app["forgiven"]).encode()
                async with at_once, volume.batch_upload(force=True) as batch:
                    batch.put_file(io.BytesIO(text), f"/{app['file']}")
            emit("forgiven", app=name)
        except Exception as error:
            failed(error, app=name)

    await asyncio.gather(*(one(app) for app in request["apps"]))


@synchronizer.create_blocking
async def files(request):
    """The files of the record `key`, into the folder `into`, which is there and ours."""
    client = await _Client.from_env()
    at_once = asyncio.Semaphore(AT_ONCE)
    into = pathlib.Path(request["into"])
    volume = await _volume(client, request["environment"], request["volume"], at_once)
    folder = f"records/{request['key']}"
    names = (
        []
        if volume is None
        else await _names(volume, folder, FileEntryType.FILE, at_once)
    )

    async def fetch(name):
        size = 0
        async with at_once:
            with open(into / name, "xb") as file:
                async for piece in volume.read_file(f"{folder}/{name}"):
                    went_on()
                    size += len(piece)
                    if size > MOST_FILE:
                        break
                    file.write(piece)
        emit("file", name=name, bytes=size, whole=size <= MOST_FILE)

    await asyncio.gather(*(fetch(name) for name in names))


@synchronizer.create_blocking
async def spawn(request):
    """Calls `function` once for each of `calls` (its arguments); with `follow`, until all have ended."""
    client = await _Client.from_env()
    environment, app, name = request["environment"], request["app"], request["function"]
    function = _Function.from_name(app, name, environment_name=environment)
    try:
        await function.hydrate(client)
    except NotFoundError:
        _gone(app)
        return
    calls = []
    for arguments in request["calls"]:
        emit("calling", app=app)
        call = await function.spawn(**arguments)
        emit("spawned", app=app, call=call.object_id, arguments=arguments)
        calls.append(call.object_id)
    if request.get("follow"):
        await _follow(client, request, calls)


@synchronizer.create_blocking
async def follow(request):
    """The logs of `calls`, what was said before included, until all have ended, and then their records."""
    client = await _Client.from_env()
    await _follow(client, request, request["calls"], since=request["since"])


@synchronizer.create_blocking
async def logs(request):
    """What was said in `calls`, as far as Modal keeps it."""
    client = await _Client.from_env()
    app_id = await _app_id(client, request)
    for call in request["calls"] if app_id else ():
        for item in await _said(client, app_id, call, request["since"]):
            emit("log", call=call, text=item.data)


def _gone(app):
    message = f"Modal has no {app} with this function"
    emit("error", app=app, kind="stopped", message=message)


async def _app_id(client, request):
    """None when it is no longer there; that is said."""
    try:
        found = await client._stub.FunctionGet(
            api_pb2.FunctionGetRequest(
                app_name=request["app"],
                object_tag=request["function"],
                environment_name=request["environment"] or "",
            )
        )
    except NotFoundError:
        _gone(request["app"])
        return None
    return found.handle_metadata.app_id


async def _follow(client, request, calls, since=None):
    app_id = await _app_id(client, request)
    if app_id is None:
        return
    with pulse.following():
        each = [_follow_one(client, app_id, call, since) for call in calls]
        await asyncio.gather(*each)
    await _look_at(client, request["look"], asyncio.Semaphore(AT_ONCE))


async def _follow_one(client, app_id, call, since):
    log = Log(client, app_id, call)
    passing_on = asyncio.create_task(log.pass_on(since))
    try:
        result = await _result(client, call)
        await log.stragglers(passing_on)
    finally:
        passing_on.cancel()
    if result is None:
        emit("ended", call=call, status="unknown", message=None)
        return
    status = _word(
        api_pb2.GenericResult.GenericStatus, "GENERIC_STATUS_", result.status
    )
    # Not the result itself: it is a pickle, which runs what it likes when it is opened.
    emit("ended", call=call, status=status, message=result.exception or None)


async def _result(client, call):
    """How the call ended; None when Modal no longer knows. A run outlives many a network."""
    request = api_pb2.FunctionGetOutputsRequest(
        function_call_id=call,
        timeout=LONG_POLL,
        last_entry_id="0-0",
        clear_on_success=False,
    )
    answered = time.monotonic()
    while True:
        try:
            response = await client._stub.FunctionGetOutputs(
                request, retry=None, timeout=LONG_POLL + GRACE
            )
        except PASSING:
            if time.monotonic() - answered > LONGEST_SILENCE:
                raise
            await asyncio.sleep(1)
            continue
        answered = time.monotonic()
        if response.outputs:
            return response.outputs[0].result
        if response.num_unfinished_inputs == 0:
            return None


class Log:
    """What the container of a call says, as it comes."""

    def __init__(self, client, app_id, call):
        self.client, self.app_id, self.call = client, app_id, call
        self.told = set()
        self.said_at = time.monotonic()

    async def pass_on(self, since):
        """Until it is cancelled; with `since`, first what was said before."""
        try:
            if since is not None:
                for item in await _said(self.client, self.app_id, self.call, since):
                    self.tell(item)
            await self.stream()
        except Exception as error:
            emit("log-lost", call=self.call, message=str(error))

    async def stream(self):
        """A stream that breaks is taken up where it broke."""
        last, failures = "", 0
        while True:
            request = api_pb2.AppGetLogsRequest(
                app_id=self.app_id,
                timeout=STREAM,
                last_entry_id=last,
                function_call_id=self.call,
            )
            try:
                async for batch in self.client._stub.AppGetLogs.unary_stream(request):
                    last, failures = batch.entry_id or last, 0
                    for item in batch.items:
                        self.tell(item)
                    if batch.app_done:
                        return
            except PASSING:
                failures += 1
                if failures > 10:
                    raise
            # A server that ends streams at once must not be asked without a pause.
            await asyncio.sleep(min(0.2 * 2**failures, 10.0))

    def tell(self, item):
        key = (item.timestamp, item.data)
        # A stream may begin with what was told already.
        if item.data and key not in self.told:
            self.told.add(key)
            self.said_at = time.monotonic()
            emit("log", call=self.call, text=item.data)

    async def stragglers(self, passing_on):
        """After the end of the call: until nothing more comes."""
        ended = time.monotonic()
        while not passing_on.done():
            now = time.monotonic()
            if now - max(self.said_at, ended) > QUIET or now - ended > STRAGGLERS:
                return
            await asyncio.sleep(QUIET / 4)


async def _said(client, app_id, call, since):
    """What was said since then (RFC 3339), as far as Modal keeps it."""
    request = api_pb2.AppFetchLogsRequest(
        app_id=app_id, limit=MOST_ENTRIES, function_call_id=call
    )
    request.since.FromJsonString(since)
    request.until.GetCurrentTime()
    response = await client._stub.AppFetchLogs(request)
    return [item for batch in response.batches for item in batch.items if item.data]
