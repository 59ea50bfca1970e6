"""Calls of functions: from outside, by a cron, within a container; and what is told of them."""

from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp
from grpclib import GRPCError, Status
from modal_proto import api_pb2
from service import call
from state import Input, get

RESULT = api_pb2.GenericResult
STATUS = {
    RESULT.GENERIC_STATUS_SUCCESS: api_pb2.FUNCTION_CALL_INPUT_STATUS_SUCCESS,
    RESULT.GENERIC_STATUS_FAILURE: api_pb2.FUNCTION_CALL_INPUT_STATUS_FAILURE,
    RESULT.GENERIC_STATUS_TERMINATED: api_pb2.FUNCTION_CALL_INPUT_STATUS_TERMINATED,
}
# The other way, for whoever waits for the result of a call that no container could tell.
RESULT_OF = {
    api_pb2.FUNCTION_CALL_INPUT_STATUS_TIMEOUT: RESULT.GENERIC_STATUS_TIMEOUT,
    api_pb2.FUNCTION_CALL_INPUT_STATUS_TERMINATED: RESULT.GENERIC_STATUS_TERMINATED,
    api_pb2.FUNCTION_CALL_INPUT_STATUS_INIT_FAILURE: RESULT.GENERIC_STATUS_INIT_FAILURE,
    api_pb2.FUNCTION_CALL_INPUT_STATUS_INTERNAL_FAILURE: RESULT.GENERIC_STATUS_INTERNAL_FAILURE,
}


def enqueue(plane, function, args, invocation: int, trigger: str, at: float | None = None) -> Input:
    state = plane.state
    given = Input(
        id=state.new_id("in"),
        call_id=state.new_id("fc"),
        function_id=function.id,
        app_id=function.app_id,
        trigger=trigger,
        args=args,
        invocation=invocation,
        enqueued=state.now() if at is None else at,
    )
    state.inputs[given.id] = given
    plane.schedule()
    return given


def finish(plane, given: Input, status: int, exception: str = ""):
    """Ends a call; the end that is told first stays."""
    if given.is_done:
        return
    given.status = status
    if given.started:
        given.execution = plane.state.now() - given.started
    if given.result is None:
        result = RESULT(status=RESULT_OF.get(status, RESULT.GENERIC_STATUS_FAILURE), exception=exception)
        given.result = api_pb2.FunctionPutOutputsItem(input_id=given.id, result=result)
    plane.state.changes.happened()


@call
async def FunctionMap(plane, request, task):
    function = get(plane.state.functions, request.function_id, "Function")
    if not plane.state.apps[function.app_id].is_deployed:
        raise GRPCError(Status.FAILED_PRECONDITION, "App is stopped.")
    if len(request.pipelined_inputs) != 1:
        raise plane.journal.refused("a call with other than one input")
    [item] = request.pipelined_inputs
    given = enqueue(plane, function, item.input, request.function_call_invocation_type, "spawn")
    answer = api_pb2.FunctionMapResponse(function_call_id=given.call_id)
    answer.pipelined_inputs.add(idx=item.idx, input_id=given.id, input_jwt=given.id)
    return answer


@call
async def FunctionGetOutputs(plane, request, task):
    given = plane.state.input_of_call(request.function_call_id)
    await plane.state.changes.until(lambda: given.is_done, request.timeout)
    if not given.is_done:
        return api_pb2.FunctionGetOutputsResponse(num_unfinished_inputs=1)
    answer = api_pb2.FunctionGetOutputsResponse(idxs=[0], last_entry_id="1-1")
    answer.outputs.add(
        result=given.result.result,
        data_format=given.result.data_format,
        input_id=given.id,
        task_id=given.tasks[-1] if given.tasks else "",
    )
    return answer


@call
async def FunctionCallFromId(plane, request, task):
    given = plane.state.input_of_call(request.function_call_id)
    return api_pb2.FunctionCallFromIdResponse(function_call_id=given.call_id, num_inputs=1)


@call
async def FunctionCallCancel(plane, request, task):
    given = plane.state.input_of_call(request.function_call_id)
    finish(plane, given, api_pb2.FUNCTION_CALL_INPUT_STATUS_TERMINATED)
    for running in [task for task in plane.running.values() if task.given is given]:
        if request.terminate_containers:
            running.end_soon()
        else:
            running.cancelled.append(given.id)
            plane.state.changes.happened()
    return Empty()


@call
async def FunctionGetCurrentStats(plane, request, task):
    inputs = [given for given in plane.state.inputs.values() if given.function_id == request.function_id]
    pending = sum(given.status == api_pb2.FUNCTION_CALL_INPUT_STATUS_PENDING for given in inputs)
    tasks = sum(task.function.id == request.function_id for task in plane.running.values())
    return api_pb2.FunctionStats(backlog=pending, num_total_tasks=tasks)


# What is told of them.


def timestamp(at: float) -> Timestamp:
    found = Timestamp()
    found.FromNanoseconds(int(at * 1e9))
    return found


def seconds(at: Timestamp) -> float:
    return at.ToNanoseconds() / 1e9


def _of_function(plane, request) -> list[Input]:
    """The oldest first."""
    get(plane.state.functions, request.function_id, "Function")
    found = [given for given in plane.state.inputs.values() if given.function_id == request.function_id]
    return sorted(found, key=lambda given: given.enqueued)


def _info(given: Input) -> api_pb2.FunctionCallInputInfo:
    info = api_pb2.FunctionCallInputInfo(
        enqueued_at=timestamp(given.enqueued), status=given.status, function_call_id=given.call_id
    )
    if given.started:
        info.started_at.CopyFrom(timestamp(given.started))
        info.startup_time_seconds = 0.5
    if given.tasks:
        info.container_id = given.tasks[-1]
    if given.execution is not None:
        info.execution_time_seconds = given.execution
    return info


@call
async def FunctionCallFetch(plane, request, task):
    found = _of_function(plane, request)
    if request.HasField("tail"):
        found = found[::-1][: request.tail.count]
    else:
        since, until = seconds(request.range.since), seconds(request.range.until)
        found = [given for given in found if since <= given.enqueued < until][: request.range.limit or None]
    return api_pb2.FunctionCallFetchResponse(function_call_inputs=map(_info, found))


@call
async def FunctionCallCount(plane, request, task):
    width, since, until = request.bucket_secs, seconds(request.since), seconds(request.until)
    counts: dict[float, int] = {}
    for given in _of_function(plane, request):
        if since <= given.enqueued < until:
            bucket = given.enqueued // width * width
            counts[bucket] = counts.get(bucket, 0) + 1
    answer = api_pb2.FunctionCallCountResponse()
    for start, count in sorted(counts.items()):
        answer.buckets.add(bucket_start_at=timestamp(start), count=count)
    return answer


@call
async def FunctionCallGetInfo(plane, request, task):
    given = plane.state.input_of_call(request.function_call_id)
    info = api_pb2.FunctionCallInfo(
        function_call_id=given.call_id, created_at=given.enqueued, scheduled_at=given.enqueued, total_inputs=1
    )
    category = {
        api_pb2.FUNCTION_CALL_INPUT_STATUS_SUCCESS: info.succeeded_inputs,
        api_pb2.FUNCTION_CALL_INPUT_STATUS_TIMEOUT: info.timeout_inputs,
        api_pb2.FUNCTION_CALL_INPUT_STATUS_TERMINATED: info.cancelled_inputs,
    }.get(given.status, info.failed_inputs if given.is_done else info.pending_inputs)
    category.total = 1
    return api_pb2.FunctionCallGetInfoResponse(info=info)


@call
async def TaskList(plane, request, task):
    tasks = [
        api_pb2.TaskStats(
            task_id=running.id, app_id=running.app_id, started_at=running.started, enqueued_at=running.started
        )
        for running in plane.running.values()
        if request.app_id in ("", running.app_id)
    ]
    return api_pb2.TaskListResponse(tasks=tasks)


@call
async def ContainerStop(plane, request, task):
    get(plane.running, request.task_id, "Container").end_soon()
    return api_pb2.ContainerStopResponse()


# What a container asks its worker.


@call
async def ContainerHello(plane, request, task):
    return Empty()


@call
async def ContainerHeartbeat(plane, request, task):
    await plane.state.changes.until(lambda: task.cancelled, 10)
    answer = api_pb2.ContainerHeartbeatResponse()
    if task.cancelled:
        answer.cancel_input_event.input_ids.extend(task.cancelled)
        task.cancelled.clear()
    return answer


@call
async def FunctionGetInputs(plane, request, task):
    given = task.next_input()
    answer = api_pb2.FunctionGetInputsResponse()
    if given is None:
        answer.inputs.add(kill_switch=True)
        return answer
    answer.inputs.add(
        input_id=given.id,
        input=given.args,
        function_call_id=given.call_id,
        function_call_invocation_type=given.invocation,
    )
    return answer


@call
async def FunctionPutOutputs(plane, request, task):
    for output in request.outputs:
        given = get(plane.state.inputs, output.input_id, "Input")
        if not given.is_done:
            given.result = output
            finish(plane, given, STATUS[output.result.status])
    return Empty()


@call
async def TaskResult(plane, request, task):
    """The container died before its function could start: its input will not fare better elsewhere."""
    if task.given:
        finish(
            plane,
            task.given,
            api_pb2.FUNCTION_CALL_INPUT_STATUS_INIT_FAILURE,
            request.result.exception,
        )
    return Empty()
