"""What a workspace of Modal holds, as far as the tests need it. In memory; files of volumes on disk."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from grpclib import GRPCError, Status
from modal_proto import api_pb2

ENVIRONMENT = "main"


@dataclass
class App:
    id: str
    description: str
    environment: str
    created: float
    name: str = ""
    state: int = api_pb2.APP_STATE_INITIALIZING
    tags: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)  # name -> id, of what is live
    history: list[api_pb2.AppPublishRequest] = field(default_factory=list)
    deployed: list[float] = field(default_factory=list)  # when, by version
    stopped: float = 0.0

    @property
    def is_deployed(self) -> bool:
        return self.state == api_pb2.APP_STATE_DEPLOYED


@dataclass
class Function:
    id: str
    app_id: str
    name: str
    precreated: api_pb2.FunctionPrecreateRequest
    # Every definition that was sent, and the one that calls run: a deploy that fails changes nothing.
    definitions: dict[str, api_pb2.Function] = field(default_factory=dict)
    live: str = ""

    @property
    def definition(self) -> api_pb2.Function:
        return self.definitions[self.live]


@dataclass
class Image:
    id: str
    request: api_pb2.ImageGetOrCreateRequest
    built: bool = False
    broken: bool = False  # a script said so


@dataclass
class Named:
    """A secret or a dict: a name, and values by key."""

    id: str
    name: str
    environment: str
    created: float
    values: dict = field(default_factory=dict)


@dataclass
class Volume:
    id: str
    name: str
    environment: str
    created: float
    version: int
    folder: Path  # what is committed


@dataclass
class Mount:
    id: str
    files: list[api_pb2.MountFile]


@dataclass
class Input:
    """A call of a function. Here every call has exactly one input."""

    id: str
    call_id: str
    function_id: str
    app_id: str
    trigger: str  # "spawn" or "cron"
    args: api_pb2.FunctionInput
    invocation: int
    enqueued: float
    status: int = api_pb2.FUNCTION_CALL_INPUT_STATUS_PENDING
    started: float = 0.0
    execution: float | None = None
    result: api_pb2.FunctionPutOutputsItem | None = None
    tasks: list[str] = field(default_factory=list)  # every container it was given to

    @property
    def is_done(self) -> bool:
        return self.status not in (
            api_pb2.FUNCTION_CALL_INPUT_STATUS_PENDING,
            api_pb2.FUNCTION_CALL_INPUT_STATUS_RUNNING,
        )


@dataclass
class Log:
    entry: int
    app_id: str
    function_id: str
    item: api_pb2.TaskLogs
    task_id: str


class Changes:
    """Wakes whoever waits for anything to change."""

    def __init__(self):
        self._event = asyncio.Event()

    def happened(self):
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, ready: Callable[[], object], timeout: float | None = None) -> bool:
        """Whether it became true in time."""

        async def wait():
            while not ready():
                await self._event.wait()

        try:
            await asyncio.wait_for(wait(), timeout)
        except TimeoutError:
            return bool(ready())
        return True


class State:
    def __init__(self, folder: Path):
        self.folder = folder
        self.cron_limit: int | None = None
        self.clock_offset = 0.0
        self.apps: dict[str, App] = {}
        self.functions: dict[str, Function] = {}
        self.images: dict[str, Image] = {}
        self.mounts: dict[str, Mount] = {}
        self.secrets: dict[str, Named] = {}
        self.dicts: dict[str, Named] = {}
        self.volumes: dict[str, Volume] = {}
        self.inputs: dict[str, Input] = {}
        self.logs: list[Log] = []
        self.environments = [ENVIRONMENT]
        self.workspace = "of-a-test"
        self.changes = Changes()
        self._numbers: dict[str, itertools.count] = defaultdict(lambda: itertools.count(1))

    def new_id(self, prefix: str) -> str:
        """Of the length of Modal's own, and the same in every run."""
        return f"{prefix}-{next(self._numbers[prefix]):022d}"

    def now(self) -> float:
        return time.time() + self.clock_offset

    def environment(self, name: str) -> str:
        """The name of an environment that exists; an empty one is the default."""
        name = name or ENVIRONMENT
        if name not in self.environments:
            raise not_found(f"Environment '{name}' not found.")
        return name

    def deployed(self, name: str, environment: str) -> App | None:
        found = (
            app
            for app in self.apps.values()
            if app.name == name and app.environment == environment and app.is_deployed
        )
        return next(found, None)

    def input_of_call(self, call_id: str) -> Input:
        for given in self.inputs.values():
            if given.call_id == call_id:
                return given
        raise not_found(f"Function call {call_id} not found.")

    def log(
        self, task_id: str, given: Input | None, descriptor: int, text: str, app_id: str, function_id: str
    ):
        now = self.now()
        item = api_pb2.TaskLogs(
            data=text,
            timestamp=now,
            timestamp_ns=int(now * 1e9),
            file_descriptor=descriptor,
            container_id=task_id,
        )
        if given:
            item.function_call_id, item.input_id = given.call_id, given.id
        self.logs.append(Log(len(self.logs) + 1, app_id, function_id, item, task_id))
        self.changes.happened()


def not_found(message: str) -> GRPCError:
    return GRPCError(Status.NOT_FOUND, message)


def get(things: dict, id: str, what: str):
    if id not in things:
        raise not_found(f"{what} {id} not found.")
    return things[id]
