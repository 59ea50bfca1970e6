"""Containers, for real: Modal's own entrypoint in a root of its own, which runs what was deployed.

Each has its own processes (it is the first of them that `init.py` becomes), its own file system on top of
this machine's, and a socket of its own on which the entrypoint finds its worker. Needs root and Linux.
"""

import asyncio
import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import apps
import calls
from grpclib.server import Server
from modal_proto import api_pb2
from service import Face
from state import Function, Input
from volumes import Copy

GRACE = 30  # seconds between the polite signal and the end, as there
BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Task:
    def __init__(self, plane, function: Function, given: Input):
        self.plane, self.function, self.given = plane, function, given
        self.definition = function.definition
        self.id = plane.state.new_id("ta")
        self.app_id = function.app_id
        self.started = plane.state.now()
        self.folder: Path = plane.state.folder / "containers" / self.id
        self.volumes: dict[str, Copy] = {}
        self.cancelled: list[str] = []
        self.left_behind: list[str] = []  # command lines that lived when the entrypoint had ended
        self.exit_code: int | None = None
        self.served = False
        self._process: asyncio.subprocess.Process | None = None
        self._timers: list[asyncio.TimerHandle] = []

    # What its worker tells it.

    def next_input(self) -> Input | None:
        """Its input, then, unless it is for one use, whatever waits; `None`: it is to end."""
        if self.served:
            waiting = (
                None if self.definition.single_use_containers else self.plane.next_waiting(self.function)
            )
            if waiting is None:
                return None
            self.given = waiting
        self.served = True
        given = self.given
        given.tasks.append(self.id)
        if not given.is_done:
            given.status = api_pb2.FUNCTION_CALL_INPUT_STATUS_RUNNING
        given.started = given.started or self.plane.state.now()
        timer = asyncio.get_running_loop().call_later(self.definition.timeout_secs, self.out_of_time, given)
        self._timers.append(timer)
        self.plane.state.changes.happened()
        return given

    # How it ends before its time.

    def out_of_time(self, given: Input):
        if given.is_done or self._process is None:
            return
        message = f"Task's current input {given.id} hit its timeout of {self.definition.timeout_secs}s\n"
        self._log(api_pb2.FILE_DESCRIPTOR_INFO, message)
        calls.finish(self.plane, given, api_pb2.FUNCTION_CALL_INPUT_STATUS_TIMEOUT, message)
        self.kill()

    def kill(self):
        """At once, with everything in it."""
        if self._process and self._process.returncode is None:
            self._process.kill()

    def end_soon(self):
        """The polite signal, and after the time for it the end."""
        if self._process and self._process.returncode is None:
            self._process.stdin.write(b"INT\n")
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(self.plane.grace, self.kill))

    def preempt(self):
        """Its machine is needed for something else; its input starts again elsewhere."""
        self.end_soon()

    # Its life.

    async def run(self):
        try:
            await self._run()
        finally:
            for timer in self._timers:
                timer.cancel()
            del self.plane.running[self.id]
            self.plane.container_ended(self)
            self.plane.state.changes.happened()

    async def _run(self):
        state = self.plane.state
        missing = [f"Secret {id}" for id in self.definition.secret_ids if id not in state.secrets]
        volumes = [mount.volume_id for mount in self.definition.volume_mounts]
        missing += [f"Volume {id}" for id in volumes if id not in state.volumes]
        if missing:
            # It died before it started, and would again.
            message = f"{missing[0]} was deleted"
            self.served = True
            self.given.tasks.append(self.id)
            self._log(api_pb2.FILE_DESCRIPTOR_INFO, message + "\n")
            calls.finish(self.plane, self.given, api_pb2.FUNCTION_CALL_INPUT_STATUS_INIT_FAILURE, message)
            return
        self.folder.mkdir(parents=True)
        (self.folder / "modal").mkdir()
        worker = Server([Face(self.plane, self)])
        await worker.start(path=str(self.folder / "modal/worker.sock"))
        # For anybody in the container, until somebody closes it.
        (self.folder / "modal/worker.sock").chmod(0o777)
        try:
            self._write_arguments()
            await self._live(self._specification())
        finally:
            worker.close()
            await worker.wait_closed()
            shutil.rmtree(self.folder)

    def _write_arguments(self):
        state = self.plane.state
        app = state.apps[self.app_id]
        arguments = api_pb2.ContainerArguments(
            task_id=self.id,
            function_id=self.function.id,
            app_id=self.app_id,
            function_def=self.definition,
            environment_name=app.environment,
            app_layout=apps.layout(state, app),
        )
        (self.folder / "modal/arguments.bin").write_bytes(arguments.SerializeToString())

    def _specification(self) -> dict:
        """What `init.py` is to make of this machine."""
        state, definition, setup = self.plane.state, self.definition, self.plane.setup
        mounted = [self._file(file) for id in definition.mount_ids for file in state.mounts[id].files]
        variables, copied, commands = self._image()
        for mount in definition.volume_mounts:
            volume = state.volumes[mount.volume_id]
            self.volumes[volume.id] = Copy(volume, self.folder / "volumes" / volume.id)
        secrets = {}
        for id in definition.secret_ids:
            secrets.update(state.secrets[id].values)
        environment = {
            "PATH": BASE_PATH,
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "SSL_CERT_DIR": "/etc/ssl/certs",
            "PYTHONPATH": "/root",
            "PYTHONUNBUFFERED": "1",
            "TERM": "dumb",
            **variables,
            **setup.get("env", {}),
            **secrets,
            "MODAL_IS_REMOTE": "1",
            "MODAL_TASK_ID": self.id,
            "MODAL_IMAGE_ID": definition.image_id,
            "MODAL_ENVIRONMENT": state.apps[self.app_id].environment,
            "MODAL_CLOUD_PROVIDER": "CLOUD_PROVIDER_AWS",
            "MODAL_REGION": "us-east-1",
            "MODAL_IDENTITY_TOKEN": "eyJhbGciOiJub25lIn0.e30.identity-of-a-test",
            "MODAL_SERVER_URL": "unix:///__modal/worker.sock",
            "MODAL_CONTAINER_ARGUMENTS_PATH": "/__modal/arguments.bin",
        }
        return {
            "folder": str(self.folder),
            "modal": str(self.folder / "modal"),
            "files": copied + mounted + setup.get("files", []),
            "volumes": [
                {"path": mount.mount_path, "source": str(self.volumes[mount.volume_id].folder)}
                for mount in definition.volume_mounts
            ],
            "programs": setup.get("programs", {}),
            # A folder before what is in it, which would hide it.
            "expose": sorted({sys.prefix, sys.base_prefix, *setup.get("expose", [])}),
            "share": setup.get("share", []),
            "commands": commands,
            "argv": [sys.executable, "-m", "modal._container_entrypoint"],
            "env": environment,
        }

    def _image(self) -> tuple[dict[str, str], list[dict], list[str]]:
        """Variables, copied files and added users of its image, the lowest layer first. Nothing else of
        it is built: what it installs, a test gives."""
        state = self.plane.state
        layers, id = [], self.definition.image_id
        while id:
            image = state.images[id].request.image
            layers.append(image)
            id = image.base_images[0].image_id if image.base_images else ""
        variables, files, commands = {}, [], []
        for image in reversed(layers):
            for line in image.dockerfile_commands:
                word, _, rest = line.partition(" ")
                if word == "ENV":
                    variables.update(pair.split("=", 1) for pair in shlex.split(rest))
                if word == "RUN" and rest.startswith("useradd "):
                    commands.append(rest)
                if word == "COPY" and image.context_mount_id and (given := re.fullmatch(r"\. (\S+)", rest)):
                    mount = state.mounts[image.context_mount_id]
                    files += [self._file(file, given[1]) for file in mount.files]
        return variables, files, commands

    def _file(self, file: api_pb2.MountFile, folder: str = "/") -> dict:
        return {
            "path": str(Path(folder) / file.filename.lstrip("/")),
            "source": str(self.plane.blobs.path(file.sha256_hex)),
            "mode": file.mode or 0o644,
        }

    async def _live(self, specification: dict):
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", sys.executable, "-I"]
        self._process = process = await asyncio.create_subprocess_exec(
            *words,
            str(Path(__file__).with_name("init.py")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": BASE_PATH},
            start_new_session=True,
            limit=16 * 1024 * 1024,
        )
        # On standard input, because it holds the secrets; the pipe stays open, for signals.
        process.stdin.write(json.dumps(specification).encode() + b"\n")
        await asyncio.gather(
            self._read(process.stdout, api_pb2.FILE_DESCRIPTOR_STDOUT),
            self._read(process.stderr, api_pb2.FILE_DESCRIPTOR_STDERR),
        )
        self.exit_code = await process.wait()
        report = self.folder / "left-behind.json"
        if report.exists():
            self.left_behind = json.loads(report.read_text())

    async def _read(self, stream: asyncio.StreamReader, descriptor: int):
        while line := await stream.readline():
            self._log(descriptor, line.decode(errors="replace"))

    def _log(self, descriptor: int, text: str):
        self.plane.state.log(self.id, self.given, descriptor, text, self.app_id, self.function.id)
