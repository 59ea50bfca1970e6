"""A control plane of Modal on this machine, for tests: see `tests/src/modal.rs`.

    python plane.py FOLDER

Speaks gRPC with the real client, keeps what it is told in memory, and runs containers. Prints one line of
JSON with its addresses, is told what to do by `POST /control`, and ends with its standard input.
"""

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path

import apps  # noqa: F401  (each fills the table of calls)
import calls
import control
import logs  # noqa: F401
import stores  # noqa: F401
import volumes  # noqa: F401
from aiohttp import web
from containers import GRACE, Task
from grpclib import GRPCError, Status
from grpclib.server import Server
from modal_proto import api_pb2
from service import Face, Journal
from state import Function, Input, State

# After so many that died under it an input is given up.
MOST_CONTAINERS = 8
TOKEN = ("ak-of-a-test", "as-of-a-test-0123456789abcdef")


class Blobs:
    """Contents by their sha256, or by the id of an upload."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        self.base = ""
        self.lent: dict[str, bytes] = {}  # parts of volumes, on their way to a reader

    def path(self, key: str) -> Path:
        return self.folder / key

    def holds(self, key: str) -> bool:
        return self.path(key).exists()

    def put(self, digest: str, content: bytes):
        if hashlib.sha256(content).hexdigest() != digest:
            raise GRPCError(Status.INVALID_ARGUMENT, "a file's content is not that of its digest")
        self.path(digest).write_bytes(content)

    def lend(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.lent[digest] = content
        return self.url(digest)

    def adopt(self, digest: str, blob_id: str):
        """An upload becomes a file."""
        with self.path(blob_id).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise GRPCError(Status.INVALID_ARGUMENT, "an upload's content is not that of its digest")
        self.path(blob_id).rename(self.path(digest))

    def content(self, key: str) -> bytes:
        return self.path(key).read_bytes()

    def url(self, key: str) -> str:
        return f"{self.base}/blobs/{key}"


class Plane:
    def __init__(self, folder: Path):
        self.state = State(folder)
        self.journal = Journal()
        self.blobs = Blobs(folder / "blobs")
        self.token = TOKEN
        # What a script says.
        self.broken_images: list[str] = []
        self.build_seconds = 0.0
        self.grace = GRACE
        self.room = True  # for new containers
        self.setup: dict = {}  # of containers: env, programs, expose, share
        self.running: dict[str, Task] = {}
        self.ended: list[Task] = []
        self._lives: set[asyncio.Task] = set()
        self._closed = False

    def authenticate(self, metadata: dict[str, str]):
        given = (metadata.get("x-modal-token-id"), metadata.get("x-modal-token-secret"))
        if given != self.token:
            raise GRPCError(Status.UNAUTHENTICATED, "Token ID not found or invalid token secret.")

    # Which container runs what.

    def next_waiting(self, function: Function) -> Input | None:
        taken = {task.given.id for task in self.running.values() if not task.given.tasks}
        for given in self.state.inputs.values():
            waits = given.status == api_pb2.FUNCTION_CALL_INPUT_STATUS_PENDING
            if waits and given.function_id == function.id and given.id not in taken:
                return given
        return None

    def schedule(self):
        """Starts containers for what waits, as far as each function's limit allows."""
        if self._closed or not self.room:
            return
        for function in list(self.state.functions.values()):
            while (given := self.next_waiting(function)) and self._has_room(function):
                self.deliver(given)

    def _has_room(self, function: Function) -> bool:
        limit = (
            function.definition.autoscaler_settings.max_containers or function.definition.concurrency_limit
        )
        busy = sum(task.function is function for task in self.running.values())
        return not limit or busy < limit

    def deliver(self, given: Input) -> Task:
        """Gives an input to a new container, whether or not another one has it."""
        task = Task(self, self.state.functions[given.function_id], given)
        self.running[task.id] = task
        life = asyncio.create_task(task.run())
        self._lives.add(life)
        life.add_done_callback(self._life_over)
        return task

    def _life_over(self, life: asyncio.Task):
        self._lives.discard(life)
        if not life.cancelled() and life.exception():
            self.journal.violations.append(f"a container could not be run: {life.exception()!r}")
            self.state.changes.happened()

    def container_ended(self, task: Task):
        """An input without an end starts again, on a new container, as there."""
        self.ended.append(task)
        given = task.given
        another = any(other.given is given for other in self.running.values())
        if not task.served:
            self.journal.violations.append(
                f"a container never asked for its input: exit code {task.exit_code}"
            )
        if not given.is_done and not another:
            if task.served and len(given.tasks) < MOST_CONTAINERS:
                given.status = api_pb2.FUNCTION_CALL_INPUT_STATUS_PENDING
            else:
                calls.finish(self, given, api_pb2.FUNCTION_CALL_INPUT_STATUS_INTERNAL_FAILURE)
        self.schedule()

    async def close(self):
        self._closed = True
        for task in list(self.running.values()):
            task.kill()
        await asyncio.gather(*self._lives, return_exceptions=True)


def files(plane: Plane) -> web.Application:
    async def put(request: web.Request) -> web.Response:
        digest = hashlib.md5(usedforsecurity=False)
        with plane.blobs.path(request.match_info["key"]).open("wb") as file:
            async for part in request.content.iter_chunked(1 << 20):
                digest.update(part)
                file.write(part)
        return web.Response(headers={"ETag": f'"{digest.hexdigest()}"'})

    async def get(request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        fault = plane.journal.fault_for("files", "whoever")
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if key in plane.blobs.lent:
            return web.Response(body=plane.blobs.lent[key])
        path = plane.blobs.path(key)
        return web.FileResponse(path) if path.exists() else web.Response(status=404)

    async def told(request: web.Request) -> web.Response:
        return await control.answer(plane, await request.json())

    application = web.Application(client_max_size=1 << 30)
    application.router.add_put("/blobs/{key}", put)
    application.router.add_get("/blobs/{key}", get)
    application.router.add_post("/control", told)
    return application


async def main(folder: Path):
    plane = Plane(folder)
    server = Server([Face(plane)])
    await server.start("127.0.0.1", 0)
    port = server._server.sockets[0].getsockname()[1]
    runner = web.AppRunner(files(plane))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    plane.blobs.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    plane.server = server
    addresses = {
        "MODAL_SERVER_URL": f"http://127.0.0.1:{port}",
        "MODAL_TOKEN_ID": plane.token[0],
        "MODAL_TOKEN_SECRET": plane.token[1],
        "control": f"{plane.blobs.base}/control",
    }
    print(json.dumps(addresses), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await plane.close()
    if owner := os.environ.get("SUDO_UID"):
        # Whoever runs the tests is to be able to remove it all.
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, int(owner), -1, follow_symlinks=False)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).resolve()))
