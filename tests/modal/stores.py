"""Secrets and dicts."""

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2
from service import call
from state import Named, get, not_found


def named(things: dict, name: str, environment: str):
    same = (thing for thing in things.values() if (thing.name, thing.environment) == (name, environment))
    return next(same, None)


def get_or_create(state, things: dict, request, what: str, prefix: str, values: dict) -> Named:
    environment = state.environment(request.environment_name)
    creation = request.object_creation_type
    if creation in (
        api_pb2.OBJECT_CREATION_TYPE_EPHEMERAL,
        api_pb2.OBJECT_CREATION_TYPE_ANONYMOUS_OWNED_BY_APP,
    ):
        thing = None
    else:
        thing = named(things, request.deployment_name, environment)
        if thing and creation == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(Status.ALREADY_EXISTS, f"{what} '{request.deployment_name}' already exists.")
        if thing is None and creation == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
            message = f"{what} '{request.deployment_name}' not found in environment '{environment}'."
            raise not_found(message)
        if thing and creation == api_pb2.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS:
            thing.values = values
    if thing is None:
        thing = Named(state.new_id(prefix), request.deployment_name, environment, state.now(), values)
        things[thing.id] = thing
    return thing


def creation_info(thing) -> api_pb2.CreationInfo:
    return api_pb2.CreationInfo(created_at=thing.created, created_by="of-a-test")


# Secrets.


@call
async def SecretGetOrCreate(plane, request, task):
    values = dict(request.env_dict)
    secret = get_or_create(plane.state, plane.state.secrets, request, "Secret", "st", values)
    if missing := [key for key in request.required_keys if key not in secret.values]:
        raise not_found(f"Secret is missing key(s): {', '.join(missing)}")
    return api_pb2.SecretGetOrCreateResponse(secret_id=secret.id, metadata=secret_metadata(secret))


def secret_metadata(secret: Named) -> api_pb2.SecretMetadata:
    return api_pb2.SecretMetadata(
        name=secret.name,
        creation_info=creation_info(secret),
        keys=sorted(secret.values),
        environment_name=secret.environment,
    )


@call
async def SecretGetInfo(plane, request, task):
    secret = get(plane.state.secrets, request.secret_id, "Secret")
    return api_pb2.SecretGetInfoResponse(metadata=secret_metadata(secret))


@call
async def SecretUpdate(plane, request, task):
    secret = get(plane.state.secrets, request.secret_id, "Secret")
    for update in request.updates:
        if update.HasField("value"):
            secret.values[update.key] = update.value
        else:
            secret.values.pop(update.key, None)
    return Empty()


@call
async def SecretList(plane, request, task):
    environment = plane.state.environment(request.environment_name)
    items = [
        api_pb2.SecretListItem(
            label=secret.name,
            secret_id=secret.id,
            created_at=secret.created,
            environment_name=environment,
            metadata=secret_metadata(secret),
        )
        for secret in listed(plane.state.secrets, environment, request.pagination)
    ]
    return api_pb2.SecretListResponse(items=items, environment_name=environment)


@call
async def SecretDelete(plane, request, task):
    get(plane.state.secrets, request.secret_id, "Secret")
    del plane.state.secrets[request.secret_id]
    return Empty()


def listed(things: dict, environment: str, pagination: api_pb2.ListPagination) -> list:
    """Those with a name, the newest first, a page of them."""
    found = [thing for thing in things.values() if thing.name and thing.environment == environment]
    if pagination.created_before:
        found = [thing for thing in found if thing.created < pagination.created_before]
    found.sort(key=lambda thing: thing.created, reverse=True)
    return found[: pagination.max_objects or None]


# Dicts.


@call
async def DictGetOrCreate(plane, request, task):
    values = {entry.key: entry.value for entry in request.data}
    found = get_or_create(plane.state, plane.state.dicts, request, "Dict", "di", values)
    metadata = api_pb2.DictMetadata(name=found.name, creation_info=creation_info(found))
    return api_pb2.DictGetOrCreateResponse(dict_id=found.id, metadata=metadata)


@call
async def DictUpdate(plane, request, task):
    values = get(plane.state.dicts, request.dict_id, "Dict").values
    if request.if_not_exists and any(update.key in values for update in request.updates):
        return api_pb2.DictUpdateResponse(created=False)
    values.update((update.key, update.value) for update in request.updates)
    plane.state.changes.happened()
    return api_pb2.DictUpdateResponse(created=True)


@call
async def DictGet(plane, request, task):
    values = get(plane.state.dicts, request.dict_id, "Dict").values
    if request.key not in values:
        return api_pb2.DictGetResponse(found=False)
    return api_pb2.DictGetResponse(found=True, value=values[request.key])


@call
async def DictContains(plane, request, task):
    values = get(plane.state.dicts, request.dict_id, "Dict").values
    return api_pb2.DictContainsResponse(found=request.key in values)


@call
async def DictLen(plane, request, task):
    return api_pb2.DictLenResponse(len=len(get(plane.state.dicts, request.dict_id, "Dict").values))


@call
async def DictPop(plane, request, task):
    values = get(plane.state.dicts, request.dict_id, "Dict").values
    if request.key not in values:
        return api_pb2.DictPopResponse(found=False)
    return api_pb2.DictPopResponse(found=True, value=values.pop(request.key))


@call
async def DictContents(plane, request, task):
    for key, value in get(plane.state.dicts, request.dict_id, "Dict").values.items():
        yield api_pb2.DictEntry(key=key if request.keys else b"", value=value if request.values else b"")


@call
async def DictList(plane, request, task):
    environment = plane.state.environment(request.environment_name)
    dicts = [
        api_pb2.DictListResponse.DictInfo(
            name=found.name,
            dict_id=found.id,
            created_at=found.created,
            metadata=api_pb2.DictMetadata(name=found.name, creation_info=creation_info(found)),
        )
        for found in listed(plane.state.dicts, environment, request.pagination)
    ]
    return api_pb2.DictListResponse(dicts=dicts, environment_name=environment)


@call
async def DictDelete(plane, request, task):
    get(plane.state.dicts, request.dict_id, "Dict")
    del plane.state.dicts[request.dict_id]
    return Empty()
