"""The fields of requests that this control plane understands. Any other that is set fails the test: a
client or an app that begins to use more of Modal is to be noticed, not waved through."""

from google.protobuf.message import Message
from modal_proto import api_pb2

FIELDS = {
    # Apps.
    "AppClientDisconnectRequest": "app_id reason exception",
    "AppCountLogsRequest": "app_id task_id function_id function_call_id search_text since until bucket_secs source",
    "AppCreateRequest": "description environment_name app_state tags",
    "AppDeploymentHistoryRequest": "app_id",
    "AppFetchLogsRequest": "app_id since until limit source function_id function_call_id task_id search_text",
    "AppGetByDeploymentNameRequest": "name environment_name",
    "AppGetInfoRequest": "app_id",
    "AppGetLayoutRequest": "app_id",
    "AppGetLifecycleRequest": "app_id",
    "AppGetLogsRequest": (
        "app_id timeout last_entry_id function_id task_id function_call_id file_descriptor search_text"
    ),
    "AppGetOrCreateRequest": "app_name environment_name",
    "AppGetTagsRequest": "app_id",
    "AppHeartbeatRequest": "app_id",
    "AppListRequest": "environment_name",
    "AppPublishRequest": (
        "app_id name deployment_tag app_state function_ids definition_ids commit_info tags client_version"
    ),
    "AppSetTagsRequest": "app_id tags",
    "AppStopRequest": "app_id source",
    "CommitInfo": "vcs branch commit_hash commit_timestamp dirty author_name author_email repo_url",
    "EnvironmentGetOrCreateRequest": "deployment_name",
    "ListPagination": "max_objects created_before",
    "ObjectSuggestRequest": "environment_name kind query limit",
    "TaskListRequest": "environment_name app_id",
    # Functions.
    "AutoscalerSettings": "max_containers",
    "ClassParameterInfo": "",
    "ClassParameterSpec": "name type has_default full_type int_default string_default",
    "Function": (
        "module_name function_name implementation_name mount_ids image_id definition_type function_type"
        " resources secret_ids retry_policy concurrency_limit timeout_secs startup_timeout_secs app_name"
        " volume_mounts object_dependencies max_inputs single_use_containers scheduler_placement schedule"
        " class_parameter_info method_definitions_set autoscaler_settings function_schema mount_client_dependencies"
        " supported_input_formats supported_output_formats _experimental_concurrent_cancellations"
    ),
    "FunctionCreateRequest": "function app_id existing_function_id",
    "FunctionGetByIdRequest": "function_id",
    "FunctionGetRequest": "app_name object_tag environment_name",
    "FunctionPrecreateRequest": (
        "app_id function_name existing_function_id function_type function_schema supported_input_formats"
        " supported_output_formats"
    ),
    "FunctionRetryPolicy": "retries backoff_coefficient initial_delay_ms max_delay_ms",
    "FunctionSchema": "schema_type arguments return_type",
    "GPUConfig": "type count gpu_type",
    "GenericPayloadType": "base_type sub_types",
    "ObjectDependency": "object_id",
    "Resources": "memory_mb milli_cpu gpu_config memory_mb_max ephemeral_disk_mb milli_cpu_max",
    "Schedule": "cron",
    "Schedule.Cron": "cron_string timezone",
    "SchedulerPlacement": "regions nonpreemptible",
    "VolumeMount": "volume_id mount_path allow_background_commits read_only",
    # Images and files.
    "BaseImage": "image_id docker_tag",
    "BlobCreateRequest": "content_md5 content_sha256_base64 content_length",
    "BlobGetRequest": "blob_id",
    "Image": (
        "base_images dockerfile_commands context_files secret_ids context_mount_id gpu_config"
        " image_registry_config build_args"
    ),
    "ImageContextFile": "filename data",
    "ImageGetOrCreateRequest": "image app_id existing_image_id namespace builder_version",
    "ImageJoinStreamingRequest": "image_id timeout last_entry_id include_logs_for_finished",
    "ImageRegistryConfig": "",
    "MountBatchedCheckExistenceRequest": "sha256_hex_hashes",
    "MountFile": "filename sha256_hex size mode",
    "MountGetOrCreateRequest": (
        "deployment_name namespace environment_name object_creation_type files app_id earliest_checked_at"
    ),
    "MountPutFileRequest": "sha256_hex data data_blob_id",
    # Secrets, dicts, volumes.
    "DictContainsRequest": "dict_id key",
    "DictContentsRequest": "dict_id keys values",
    "DictDeleteRequest": "dict_id",
    "DictEntry": "key value",
    "DictGetOrCreateRequest": "deployment_name environment_name object_creation_type data",
    "DictGetRequest": "dict_id key",
    "DictLenRequest": "dict_id",
    "DictListRequest": "environment_name pagination",
    "DictPopRequest": "dict_id key",
    "DictUpdateRequest": "dict_id updates if_not_exists",
    "SecretDeleteRequest": "secret_id",
    "SecretGetInfoRequest": "secret_id",
    "SecretGetOrCreateRequest": (
        "deployment_name environment_name object_creation_type env_dict app_id required_keys"
    ),
    "SecretListRequest": "environment_name pagination",
    "SecretUpdateRequest": "secret_id updates",
    "SecretUpdateRequest.Update": "key value",
    "VolumeCommitRequest": "volume_id",
    "VolumeCreateOptions": "",
    "VolumeDeleteRequest": "volume_id",
    "VolumeGetByIdRequest": "volume_id",
    "VolumeGetFile2Request": "volume_id path start len client_pads_blocks",
    "VolumeGetOrCreateRequest": "deployment_name environment_name object_creation_type version create_options",
    "VolumeListFiles2Request": "volume_id path recursive",
    "VolumeListFilesRequest": "volume_id path recursive",
    "VolumeListRequest": "environment_name pagination",
    "VolumePutFilesRequest": "volume_id files disallow_overwrite_existing_files earliest_checked_at",
    "VolumeReloadRequest": "volume_id",
    "VolumeRemoveFile2Request": "volume_id path recursive",
    "VolumeRemoveFileRequest": "volume_id path recursive",
    # Calls, from outside and within a container.
    "ContainerHeartbeatRequest": "canceled_inputs_return_outputs_v2",
    "ContainerStopRequest": "task_id",
    "FunctionCallCancelRequest": "function_call_id terminate_containers",
    "FunctionCallCountRequest": "function_id since until bucket_secs",
    "FunctionCallFetchRequest": "function_id tail range",
    "FunctionCallFetchRequest.Range": "since until limit",
    "FunctionCallFetchRequest.Tail": "count",
    "FunctionCallFromIdRequest": "function_call_id",
    "FunctionCallGetInfoRequest": "function_id function_call_id",
    "FunctionGetCurrentStatsRequest": "function_id",
    "FunctionGetInputsRequest": "function_id input_concurrency",
    "FunctionGetOutputsRequest": (
        "function_call_id max_values timeout last_entry_id clear_on_success requested_at start_idx end_idx"
    ),
    "FunctionGetSchedulingParamsRequest": "function_id",
    "FunctionInput": "args data_format method_name",
    "FunctionMapRequest": (
        "function_id parent_input_id function_call_type pipelined_inputs function_call_invocation_type"
    ),
    "FunctionPutInputsItem": "idx input",
    "FunctionPutOutputsItem": ("input_id result input_started_at output_created_at data_format retry_count"),
    "FunctionPutOutputsRequest": "outputs",
    "GenericResult": "status exception exitcode traceback serialized_tb tb_line_cache data",
    "TaskResultRequest": "result",
}


def unknown_fields(message: Message):
    name = message.DESCRIPTOR.full_name.rpartition("client.")[2]
    if message.DESCRIPTOR.file.package.startswith("google."):
        return
    known = FIELDS.get(name, "").split()
    for field, value in message.ListFields():
        if field.name not in known:
            yield f"{name}.{field.name}"
        elif field.message_type and field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type:
                for item in value.values():
                    yield from unknown_fields(item)
        elif field.message_type:
            for item in value if field.is_repeated else [value]:
                yield from unknown_fields(item)


def _check():
    """A field that is misspelt here, or gone from the client, is a mistake of this file."""
    for name, fields in FIELDS.items():
        first, *inner = name.split(".")
        message = api_pb2.DESCRIPTOR.message_types_by_name[first]
        for part in inner:
            message = message.nested_types_by_name[part]
        if missing := set(fields.split()).difference(message.fields_by_name):
            raise LookupError(f"{name} has no {', '.join(sorted(missing))}")


_check()
