"""The gRPC side: every call is written down, checked, perhaps made to fail, and then answered."""

import asyncio
import functools
import inspect
from dataclasses import dataclass, field

import known
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from grpclib import GRPCError, Status
from grpclib.exceptions import StreamTerminatedError
from modal_proto.api_grpc import ModalClientBase

# By name; a handler takes (plane, request, task) and answers, or yields answers. `task` is the container
# that asks, `None` for a client outside.
CALLS = {}


def call(handler):
    CALLS[handler.__name__] = handler
    return handler


@dataclass
class Received:
    call: str
    request: Message
    metadata: dict[str, str]
    task: str | None

    def as_json(self) -> dict:
        return {
            "call": self.call,
            "task": self.task,
            "request": as_json(self.request),
            "metadata": self.metadata,
        }


def as_json(message: Message) -> dict:
    return MessageToDict(message, preserving_proto_field_name=True)


@dataclass
class Fault:
    """What happens to calls instead of, or before, the true answer."""

    call: str  # its name; "*" for every call from outside; "files" for bytes on their way to a reader
    # "error", "hang", "slow", "lost" (done, and the answer is lost), or "together": none is answered before
    # as many wait as are to wait.
    kind: str
    times: int
    status: str = "UNAVAILABLE"
    message: str = "scripted by the test"
    seconds: float = 0.0


@dataclass
class Journal:
    received: list[Received] = field(default_factory=list)
    # What the plane was asked and does not know: the test fails.
    violations: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def refused(self, what: str) -> GRPCError:
        self.violations.append(what)
        return GRPCError(Status.UNIMPLEMENTED, f"the control plane of the tests does not know {what}")

    def fault_for(self, name: str, task: str | None) -> Fault | None:
        for fault in self.faults:
            fits = fault.call == name or (fault.call == "*" and task is None)
            if fits and fault.times > 0:
                fault.times -= 1
                return fault
        return None


class Face(ModalClientBase):
    """One address: the control plane's, or a container's worker."""

    def __init__(self, plane, task=None):
        self.plane, self.task = plane, task

    async def _answer(self, name, stream):
        plane, task = self.plane, self.task
        request = await stream.recv_message()
        metadata = {key: str(value) for key, value in stream.metadata.items()}
        plane.journal.received.append(Received(name, request, metadata, task and task.id))
        plane.state.changes.happened()
        if name not in CALLS:
            raise plane.journal.refused(f"the call {name}")
        for unknown in known.unknown_fields(request):
            raise plane.journal.refused(f"{unknown} in {name}")
        fault = plane.journal.fault_for(name, task and task.id)
        if fault and fault.kind == "hang":
            await asyncio.Event().wait()
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind == "together":
            plane.state.changes.happened()
            if not await plane.state.changes.until(lambda: fault.times == 0, 60):
                plane.journal.violations.append(f"{fault.times} more {name} were to come at the same time")
        if fault and fault.kind == "error":
            raise GRPCError(Status[fault.status], fault.message)
        if task is None:
            plane.authenticate(metadata)
        answer = CALLS[name](plane, request, task)
        try:
            if inspect.isasyncgen(answer):
                async for item in answer:
                    await stream.send_message(item)
                return
            answer = await answer
        except (GRPCError, asyncio.CancelledError, StreamTerminatedError):
            raise
        except Exception as error:
            plane.journal.violations.append(f"{name} failed here: {error!r}")
            raise
        if fault and fault.kind == "lost":
            raise GRPCError(Status.UNAVAILABLE, fault.message)
        await stream.send_message(answer)


def _method(name):
    @functools.wraps(getattr(ModalClientBase, name))
    async def method(self, stream):
        await self._answer(name, stream)

    return method


for _name in ModalClientBase.__abstractmethods__:
    setattr(Face, _name, _method(_name))
Face.__abstractmethods__ = frozenset()
