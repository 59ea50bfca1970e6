"""Apps, their functions, and what they are made of."""

import asyncio
import hashlib

import calls
import volumes
from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2
from service import call
from state import App, Function, Image, Mount, get, not_found

BUILDER = "2025.06"
SUCCESS = api_pb2.GenericResult(status=api_pb2.GenericResult.GENERIC_STATUS_SUCCESS)


@call
async def ClientHello(plane, request, task):
    return api_pb2.ClientHelloResponse(image_builder_version=BUILDER)


@call
async def AuthTokenGet(plane, request, task):
    # A JWT without an end: the client reads `exp` and warns when there is none.
    return api_pb2.AuthTokenGetResponse(token="eyJhbGciOiJub25lIn0.eyJleHAiOjk5OTk5OTk5OTl9.")


@call
async def WorkspaceNameLookup(plane, request, task):
    return api_pb2.WorkspaceNameLookupResponse(workspace_name=plane.state.workspace, username="of-a-test")


@call
async def TokenInfoGet(plane, request, task):
    return api_pb2.TokenInfoGetResponse(token_id=plane.token[0], workspace_name="of-a-test")


@call
async def EnvironmentGetOrCreate(plane, request, task):
    name = plane.state.environment(request.deployment_name)
    settings = api_pb2.EnvironmentSettings(image_builder_version=BUILDER)
    metadata = api_pb2.EnvironmentMetadata(name=name, settings=settings)
    return api_pb2.EnvironmentGetOrCreateResponse(environment_id=f"en-{name}", metadata=metadata)


@call
async def EnvironmentList(plane, request, task):
    state = plane.state
    items = [
        api_pb2.EnvironmentListItem(name=name, environment_id=f"en-{name}", default=index == 0)
        for index, name in enumerate(state.environments)
    ]
    return api_pb2.EnvironmentListResponse(items=items)


@call
async def ObjectSuggest(plane, request, task):
    return api_pb2.ObjectSuggestResponse()


# Apps.


@call
async def AppCreate(plane, request, task):
    state = plane.state
    app = App(
        state.new_id("ap"), request.description, state.environment(request.environment_name), state.now()
    )
    app.state = request.app_state
    app.tags = dict(request.tags)
    state.apps[app.id] = app
    return api_pb2.AppCreateResponse(app_id=app.id, app_page_url=f"https://modal.com/apps/{app.id}")


@call
async def AppGetOrCreate(plane, request, task):
    state = plane.state
    environment = state.environment(request.environment_name)
    if app := state.deployed(request.app_name, environment):
        return api_pb2.AppGetOrCreateResponse(app_id=app.id)
    raise not_found(f"App '{request.app_name}' not found in environment '{environment}'.")


@call
async def AppGetByDeploymentName(plane, request, task):
    state = plane.state
    environment = state.environment(request.environment_name)
    answer = api_pb2.AppGetByDeploymentNameResponse(environment_name=environment)
    same = [app for app in state.apps.values() if (app.name, app.environment) == (request.name, environment)]
    if app := state.deployed(request.name, environment):
        answer.app_id = app.id
        answer.lifecycle.CopyFrom(lifecycle(app))
    elif same:
        answer.previous_app_id = same[-1].id
        answer.lifecycle.CopyFrom(lifecycle(same[-1]))
    return answer


@call
async def AppGetLifecycle(plane, request, task):
    return api_pb2.AppGetLifecycleResponse(lifecycle=lifecycle(get(plane.state.apps, request.app_id, "App")))


def lifecycle(app: App) -> api_pb2.AppLifecycle:
    return api_pb2.AppLifecycle(
        app_state=app.state,
        created_at=app.created,
        deployed_at=app.deployed[-1] if app.deployed else 0,
        version=len(app.history),
        stopped_at=app.stopped,
    )


@call
async def AppGetLayout(plane, request, task):
    app = get(plane.state.apps, request.app_id, "App")
    return api_pb2.AppGetLayoutResponse(app_layout=layout(plane.state, app))


def layout(state, app: App) -> api_pb2.AppLayout:
    objects = [
        api_pb2.Object(
            object_id=id, function_handle_metadata=handle(state.functions[id], state.functions[id].live)
        )
        for id in app.functions.values()
    ]
    definitions = [state.functions[id].definition for id in app.functions.values()]
    for id in sorted({one.object_id for definition in definitions for one in definition.object_dependencies}):
        needed = api_pb2.Object(object_id=id)
        if id in state.volumes:
            needed.volume_metadata.CopyFrom(volumes.metadata(state.volumes[id]))
        if id in state.mounts:
            needed.mount_handle_metadata.CopyFrom(mount_metadata(state.mounts[id]))
        objects.append(needed)
    return api_pb2.AppLayout(objects=objects, function_ids=app.functions)


@call
async def AppPublish(plane, request, task):
    state = plane.state
    app = get(state.apps, request.app_id, "App")
    definitions = {}
    for name, id in request.function_ids.items():
        function = get(state.functions, id, "Function")
        definitions[name] = function.definitions[request.definition_ids[id]]
    crons = sum(definition.HasField("schedule") for definition in definitions.values())
    others = scheduled(state, except_app=app)
    if state.cron_limit is not None and crons and others + crons > state.cron_limit:
        raise GRPCError(
            Status.FAILED_PRECONDITION, f"Deployment failed: reached limit of {state.cron_limit} cron jobs"
        )
    app.state, app.name, app.tags = request.app_state, request.name, dict(request.tags)
    app.functions = dict(request.function_ids)
    for id in app.functions.values():
        state.functions[id].live = request.definition_ids[id]
    app.history.append(request)
    app.deployed.append(state.now())
    state.changes.happened()
    return api_pb2.AppPublishResponse(
        url=f"https://modal.com/apps/of-a-test/main/deployed/{app.name}", deployed_at=app.deployed[-1]
    )


def scheduled(state, except_app: App | None = None) -> int:
    """How many crons run in the workspace."""
    apps = (app for app in state.apps.values() if app.is_deployed and app is not except_app)
    functions = (state.functions[id] for app in apps for id in app.functions.values())
    return sum(function.definition.HasField("schedule") for function in functions)


@call
async def AppClientDisconnect(plane, request, task):
    app = get(plane.state.apps, request.app_id, "App")
    if app.state in (api_pb2.APP_STATE_INITIALIZING, api_pb2.APP_STATE_EPHEMERAL):
        await stop(plane, app)
    return Empty()


@call
async def AppHeartbeat(plane, request, task):
    return Empty()


@call
async def AppList(plane, request, task):
    environment = plane.state.environment(request.environment_name)
    items = [
        api_pb2.AppListResponse.AppListItem(
            app_id=app.id,
            description=app.name or app.description,
            name=app.name,
            state=app.state,
            created_at=app.created,
            stopped_at=app.stopped,
            n_running_tasks=sum(task.app_id == app.id for task in plane.running.values()),
        )
        for app in plane.state.apps.values()
        if app.environment == environment
    ]
    return api_pb2.AppListResponse(apps=items)


@call
async def AppGetInfo(plane, request, task):
    state = plane.state
    app = get(state.apps, request.app_id, "App")
    info = api_pb2.AppHandleMetadata(
        description=app.name or app.description,
        app_id=app.id,
        environment_name=app.environment,
        lifecycle=lifecycle(app),
        functions=app.functions,
    )
    answer = api_pb2.AppGetInfoResponse(info=info)
    for id in app.functions.values():
        summary = api_pb2.AppGetInfoResponse.FunctionInfoSummary()
        if state.functions[id].definition.HasField("schedule"):
            summary.schedule.CopyFrom(state.functions[id].definition.schedule)
        answer.function_info_summaries[id].CopyFrom(summary)
    return answer


@call
async def AppDeploymentHistory(plane, request, task):
    app = get(plane.state.apps, request.app_id, "App")
    answer = api_pb2.AppDeploymentHistoryResponse(production_app_version=len(app.history))
    for version, (given, at) in enumerate(zip(app.history, app.deployed), 1):
        answer.app_deployment_histories.add(
            app_id=app.id,
            version=version,
            client_version=given.client_version,
            deployed_at=at,
            deployed_by="of-a-test",
            tag=given.deployment_tag,
            commit_info=given.commit_info,
        )
    return answer


@call
async def AppSetTags(plane, request, task):
    get(plane.state.apps, request.app_id, "App").tags = dict(request.tags)
    return Empty()


@call
async def AppGetTags(plane, request, task):
    return api_pb2.AppGetTagsResponse(tags=get(plane.state.apps, request.app_id, "App").tags)


@call
async def AppStop(plane, request, task):
    app = get(plane.state.apps, request.app_id, "App")
    if app.state == api_pb2.APP_STATE_STOPPED:
        raise GRPCError(Status.FAILED_PRECONDITION, "App is already stopped.")
    await stop(plane, app)
    return Empty()


async def stop(plane, app: App):
    """Ends its containers, and what was waiting for one."""
    app.state, app.stopped = api_pb2.APP_STATE_STOPPED, plane.state.now()
    for given in plane.state.inputs.values():
        if given.app_id == app.id and not given.is_done:
            calls.finish(plane, given, api_pb2.FUNCTION_CALL_INPUT_STATUS_TERMINATED)
    for running in [task for task in plane.running.values() if task.app_id == app.id]:
        running.end_soon()
    plane.state.changes.happened()


# Functions.


@call
async def FunctionPrecreate(plane, request, task):
    state = plane.state
    get(state.apps, request.app_id, "App")
    if request.existing_function_id:
        function = get(state.functions, request.existing_function_id, "Function")
        function.precreated = request
    else:
        function = Function(state.new_id("fu"), request.app_id, request.function_name, request)
        state.functions[function.id] = function
    return api_pb2.FunctionPrecreateResponse(function_id=function.id, handle_metadata=handle(function, ""))


@call
async def FunctionCreate(plane, request, task):
    state = plane.state
    function = get(state.functions, request.existing_function_id, "Function")
    for id in request.function.secret_ids:
        get(state.secrets, id, "Secret")
    for mount in request.function.volume_mounts:
        get(state.volumes, mount.volume_id, "Volume")
    image = get(state.images, request.function.image_id, "Image")
    if not image.built:
        raise GRPCError(Status.FAILED_PRECONDITION, f"Image {image.id} is not built.")
    definition_id = state.new_id("de")
    function.definitions[definition_id] = request.function
    return api_pb2.FunctionCreateResponse(
        function_id=function.id,
        function=request.function,
        function_data=data(request.function),
        handle_metadata=handle(function, definition_id),
    )


def data(definition: api_pb2.Function) -> api_pb2.FunctionData:
    """The form in which a function is told back."""
    told = api_pb2.FunctionData(
        module_name=definition.module_name,
        function_name=definition.function_name,
        implementation_name=definition.implementation_name,
        function_type=definition.function_type,
        timeout_secs=definition.timeout_secs,
        autoscaler_settings=definition.autoscaler_settings,
    )
    if definition.HasField("schedule"):
        told.schedule.CopyFrom(definition.schedule)
    told.ranked_functions.add(rank=0, function=definition)
    return told


def handle(function: Function, definition_id: str) -> api_pb2.FunctionHandleMetadata:
    given = function.precreated
    return api_pb2.FunctionHandleMetadata(
        function_name=function.name,
        function_type=given.function_type,
        definition_id=definition_id,
        function_schema=given.function_schema,
        supported_input_formats=given.supported_input_formats,
        supported_output_formats=given.supported_output_formats,
        app_id=function.app_id,
    )


@call
async def FunctionGet(plane, request, task):
    state = plane.state
    environment = state.environment(request.environment_name)
    app = state.deployed(request.app_name, environment)
    if app is None:
        raise not_found(f"App '{request.app_name}' not found in environment '{environment}'.")
    if request.object_tag not in app.functions:
        raise not_found(f"Function '{request.object_tag}' not found in App '{request.app_name}'.")
    function = state.functions[app.functions[request.object_tag]]
    return api_pb2.FunctionGetResponse(
        function_id=function.id,
        handle_metadata=handle(function, function.live),
        function=data(function.definition),
    )


@call
async def FunctionGetById(plane, request, task):
    function = get(plane.state.functions, request.function_id, "Function")
    return api_pb2.FunctionGetByIdResponse(
        handle_metadata=handle(function, function.live),
        function=data(function.definition),
    )


@call
async def FunctionGetSchedulingParams(plane, request, task):
    function = get(plane.state.functions, request.function_id, "Function")
    return api_pb2.FunctionGetSchedulingParamsResponse(
        autoscaler_configuration=api_pb2.AutoscalerConfiguration(
            settings=function.definition.autoscaler_settings
        )
    )


# Images, and the files that go with them.


@call
async def ImageGetOrCreate(plane, request, task):
    state = plane.state
    for base in request.image.base_images:
        get(state.images, base.image_id, "Image")
    for id in request.image.secret_ids:
        get(state.secrets, id, "Secret")
    key = hashlib.sha256(
        request.image.SerializeToString(deterministic=True) + request.builder_version.encode()
    )
    # Of the length of a real one; the same definition is the same image, as there.
    id = f"im-{key.hexdigest()[:22]}"
    image = state.images.setdefault(id, Image(id, request))
    metadata = api_pb2.ImageMetadata(
        python_version_info="Python 3.12.11", workdir="/root", image_builder_version=request.builder_version
    )
    answer = api_pb2.ImageGetOrCreateResponse(image_id=id, metadata=metadata)
    if image.built:
        answer.result.CopyFrom(SUCCESS)
    return answer


@call
async def ImageJoinStreaming(plane, request, task):
    image = get(plane.state.images, request.image_id, "Image")
    commands = "\n".join(image.request.image.dockerfile_commands)
    image.broken = any(text in commands for text in plane.broken_images)
    if image.broken:
        line = "E: Unable to locate package of-a-test\n"
        yield api_pb2.ImageJoinStreamingResponse(
            entry_id="1-1",
            task_logs=[api_pb2.TaskLogs(data=line, file_descriptor=api_pb2.FILE_DESCRIPTOR_STDERR)],
        )
        failure = api_pb2.GenericResult(status=api_pb2.GenericResult.GENERIC_STATUS_FAILURE)
        yield api_pb2.ImageJoinStreamingResponse(result=failure, eof=True)
        return
    await asyncio.sleep(plane.build_seconds)
    image.built = True
    metadata = api_pb2.ImageMetadata(
        python_version_info="Python 3.12.11",
        workdir="/root",
        image_builder_version=image.request.builder_version,
    )
    yield api_pb2.ImageJoinStreamingResponse(result=SUCCESS, eof=True, metadata=metadata)


@call
async def MountBatchedCheckExistence(plane, request, task):
    missing = [digest for digest in request.sha256_hex_hashes if not plane.blobs.holds(digest)]
    return api_pb2.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)


@call
async def MountPutFile(plane, request, task):
    which = request.WhichOneof("data_oneof")
    if which == "data":
        plane.blobs.put(request.sha256_hex, request.data)
    elif which == "data_blob_id":
        plane.blobs.adopt(request.sha256_hex, request.data_blob_id)
    return api_pb2.MountPutFileResponse(exists=plane.blobs.holds(request.sha256_hex))


@call
async def MountGetOrCreate(plane, request, task):
    state = plane.state
    if request.namespace == api_pb2.DEPLOYMENT_NAMESPACE_GLOBAL:
        # Modal's own: the client and its Python. A container here uses those of this machine.
        mount = state.mounts.setdefault(request.deployment_name, Mount(state.new_id("mo"), []))
    else:
        for file in request.files:
            if not plane.blobs.holds(file.sha256_hex):
                raise GRPCError(Status.FAILED_PRECONDITION, f"{file.filename} was not uploaded.")
        mount = Mount(state.new_id("mo"), list(request.files))
    state.mounts[mount.id] = mount
    return api_pb2.MountGetOrCreateResponse(mount_id=mount.id, handle_metadata=mount_metadata(mount))


def mount_metadata(mount: Mount) -> api_pb2.MountHandleMetadata:
    names = "\n".join(sorted(f"{file.filename} {file.sha256_hex}" for file in mount.files))
    checksum = hashlib.sha256(names.encode()).hexdigest()
    return api_pb2.MountHandleMetadata(content_checksum_sha256_hex=checksum)


@call
async def BlobCreate(plane, request, task):
    id = plane.state.new_id("bl")
    urls = api_pb2.UploadUrlList(items=[plane.blobs.url(id)])
    return api_pb2.BlobCreateResponse(blob_id=id, upload_url=urls.items[0], blob_ids=[id], upload_urls=urls)


@call
async def BlobGet(plane, request, task):
    return api_pb2.BlobGetResponse(download_url=plane.blobs.url(request.blob_id))
