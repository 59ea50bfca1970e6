"""Whether Modal answers. Nobody waits longer than that for an answer, and while it is waited for something
else (a file, an image, a container) a small question is asked again and again: who hears nothing takes Modal
for gone.
"""

import asyncio
import contextlib
import functools
import time

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal import exception
from modal._grpc_client import UnaryStreamWrapper, UnaryUnaryWrapper
from modal._utils.async_utils import synchronizer
from modal.client import _Client
from report import emit, quiet_for, went_on

# Seconds between signs of life; between two of those that are no more than an answer to something else.
BEAT = 5.0
SELDOM = 1.0
# Seconds that an answer may take: one more than `changeling` listens to nothing, so that of a Modal that
# answers nothing at all it is said there, and here which question it was that alone got no answer.
LONGEST_ANSWER = 21.0
# Bytes of a request from which on it is a file that is sent.
FILE = 64 * 1024
# Seconds that nothing may come of a request although Modal answers: of an image that is built, of a container
# that comes up, of anything else.
LONGEST = {"deploy": 40 * 60, "verify": 15 * 60}
ANYTHING = 5 * 60
# What is said in place of a Modal that is away, by whoever is in front of it.
AWAY = (Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED)
# Seconds without an answer until one who follows a run is told.
SILENCE = 18.0


class _Heard:
    """When Modal answered last, and when that was said."""

    def __init__(self):
        self.answered = self.told = time.monotonic()
        self.anything = False
        self.beating = None
        self.follows = False

    def answer(self):
        self.anything = True
        self.answered = time.monotonic()
        if self.answered - self.told > SELDOM:
            self.tell()

    def tell(self):
        self.told = time.monotonic()
        emit("alive")


_heard = _Heard()


def silence():
    """Seconds since Modal answered anything."""
    return time.monotonic() - _heard.answered


def check():
    """Whether answers pass by here, as they do in the client this was made for."""
    if not _heard.anything:
        raise RuntimeError("it asks Modal in another way than those that are known")


@synchronizer.create_blocking
async def begin(op):
    """While this is answered."""
    _heard.beating = asyncio.create_task(_beat(LONGEST.get(op, ANYTHING)))


@synchronizer.create_blocking
async def end():
    _heard.beating.cancel()


@contextlib.contextmanager
def following():
    """What goes on without us, and may outlive a network: a silence is told, and no reason to give up."""
    _heard.follows = True
    try:
        yield
    finally:
        _heard.follows = False


async def _beat(longest):
    asking, asked, told = None, time.monotonic(), False
    while True:
        await asyncio.sleep(SELDOM)
        now = time.monotonic()
        if now - asked >= BEAT and (asking is None or asking.done()):
            asking, asked = asyncio.create_task(_small_question()), now
        if _heard.follows:
            if silence() < SILENCE:
                told = False
            elif not told:
                told = True
                emit("silent", seconds=round(silence()))
            if now - _heard.told >= BEAT:
                _heard.tell()
        elif quiet_for() > longest:
            message = (
                f"it answers, and nothing has come of this for {longest // 60} minutes"
            )
            emit("error", kind="failing", message=message)
            return


async def _small_question():
    # Whatever comes of it: that there was an answer is heard below.
    with contextlib.suppress(Exception):
        client = await _Client.from_env()
        await client._stub.WorkspaceNameLookup(Empty())


def _longest(request):
    """None: as long as it takes. Some questions say how long Modal is to wait for something to tell."""
    if request.ByteSize() > FILE:
        return None
    return LONGEST_ANSWER + float(getattr(request, "timeout", 0.0))


async def _in_time(answer, request, name):
    asking = asyncio.ensure_future(answer)
    try:
        await asyncio.wait({asking}, timeout=_longest(request))
        if not asking.done():
            name = name.rsplit("/", 1)[-1]
            message = f"no answer to {name} within {LONGEST_ANSWER - 1:.0f} s"
            raise exception.ConnectionError(message)
        found = asking.result()
    except GRPCError as error:
        if error.status not in AWAY:
            _heard.answer()
        raise
    finally:
        if not asking.done():
            asking.cancel()
            await asyncio.wait({asking}, timeout=1)
    _heard.answer()
    return found


def _bounded(ask):
    @functools.wraps(ask)
    async def bounded(self, request, *given, **more):
        return await _in_time(ask(self, request, *given, **more), request, self.name)

    return bounded


def _bounded_stream(ask):
    @functools.wraps(ask)
    async def bounded(self, request, *given, **more):
        answers = ask(self, request, *given, **more)
        async with contextlib.aclosing(answers):
            while True:
                try:
                    found = await _in_time(anext(answers), request, self.name)
                except StopAsyncIteration:
                    return
                # An image that says something gets on.
                if getattr(found, "task_logs", ()):
                    went_on()
                yield found

    return bounded


# Every question goes through one of these, those of the client itself included.
UnaryUnaryWrapper.direct = _bounded(UnaryUnaryWrapper.direct)
UnaryStreamWrapper.unary_stream = _bounded_stream(UnaryStreamWrapper.unary_stream)
