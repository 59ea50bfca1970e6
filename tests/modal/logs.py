"""What containers printed."""

from calls import seconds, timestamp
from modal_proto import api_pb2
from service import call
from state import Log, get


def _fits(log: Log, request) -> bool:
    item = log.item
    wanted = (
        (request.app_id, log.app_id),
        (request.function_id, log.function_id),
        (request.function_call_id, item.function_call_id),
        (request.task_id, log.task_id),
    )
    descriptor = getattr(request, "file_descriptor", 0) or getattr(request, "source", 0)
    return (
        all(asked in ("", given) for asked, given in wanted)
        and descriptor in (0, item.file_descriptor)
        and request.search_text in item.data
    )


def _batch(log: Log) -> api_pb2.TaskLogsBatch:
    return api_pb2.TaskLogsBatch(
        task_id=log.task_id,
        entry_id=f"{log.entry}-0",
        function_id=log.function_id,
        input_id=log.item.input_id,
        items=[log.item],
    )


@call
async def AppGetLogs(plane, request, task):
    """As they come, until the app is stopped or the time is over."""
    app = get(plane.state.apps, request.app_id, "App")
    logs = plane.state.logs
    seen = int(request.last_entry_id.partition("-")[0] or 0)
    deadline = plane.state.now() + request.timeout

    def is_over() -> bool:
        return app.stopped and not any(running.app_id == app.id for running in plane.running.values())

    while True:
        for log in logs[seen:]:
            if _fits(log, request):
                yield _batch(log)
        seen = len(logs)
        if is_over():
            yield api_pb2.TaskLogsBatch(app_done=True)
            return
        left = deadline - plane.state.now()
        told = len(logs)
        if left <= 0 or not await plane.state.changes.until(
            lambda told=told: len(logs) > told or is_over(), left
        ):
            return


def _between(plane, request) -> list[Log]:
    since, until = seconds(request.since), seconds(request.until)
    found = (log for log in plane.state.logs if _fits(log, request))
    return [log for log in found if since <= log.item.timestamp < until]


@call
async def AppFetchLogs(plane, request, task):
    found = _between(plane, request)[-(request.limit or 1_000_000) :]
    return api_pb2.AppFetchLogsResponse(batches=map(_batch, found))


@call
async def AppCountLogs(plane, request, task):
    counts: dict[float, api_pb2.AppCountLogsResponse.LogBucket] = {}
    for log in _between(plane, request):
        start = log.item.timestamp // request.bucket_secs * request.bucket_secs
        bucket = counts.setdefault(
            start, api_pb2.AppCountLogsResponse.LogBucket(bucket_start_at=timestamp(start))
        )
        if log.item.file_descriptor == api_pb2.FILE_DESCRIPTOR_STDERR:
            bucket.stderr_logs += 1
        else:
            bucket.stdout_logs += 1
    buckets = [bucket for _, bucket in sorted(counts.items())]
    return api_pb2.AppCountLogsResponse(app_id=request.app_id, buckets=buckets)
