"""Volumes: a folder each of what is committed, and a copy of it in every container that mounts it.

As there, the last write wins, nothing locks, and what a container did not commit is gone with it.
"""

import os
import shutil
from pathlib import Path, PurePosixPath

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2
from service import call
from state import Volume, get, not_found
from stores import creation_info, listed, named

BLOCK = 8 * 1024 * 1024


@call
async def VolumeGetOrCreate(plane, request, task):
    state = plane.state
    environment = state.environment(request.environment_name)
    volume = named(state.volumes, request.deployment_name, environment)
    creation = request.object_creation_type
    if volume is None:
        if creation == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
            message = f"Volume '{request.deployment_name}' not found in environment '{environment}'."
            raise not_found(message)
        id = state.new_id("vo")
        folder = state.folder / "volumes" / id
        folder.mkdir(parents=True)
        version = request.version or api_pb2.VOLUME_FS_VERSION_V1
        volume = Volume(id, request.deployment_name, environment, state.now(), version, folder)
        state.volumes[id] = volume
    elif creation == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
        raise GRPCError(Status.ALREADY_EXISTS, f"Volume '{request.deployment_name}' already exists.")
    return api_pb2.VolumeGetOrCreateResponse(
        volume_id=volume.id, version=volume.version, metadata=metadata(volume)
    )


def metadata(volume: Volume) -> api_pb2.VolumeMetadata:
    return api_pb2.VolumeMetadata(
        version=volume.version, name=volume.name, creation_info=creation_info(volume)
    )


@call
async def VolumeGetById(plane, request, task):
    volume = get(plane.state.volumes, request.volume_id, "Volume")
    return api_pb2.VolumeGetByIdResponse(volume_id=volume.id, metadata=metadata(volume))


@call
async def VolumeList(plane, request, task):
    environment = plane.state.environment(request.environment_name)
    items = [
        api_pb2.VolumeListItem(
            label=volume.name, volume_id=volume.id, created_at=volume.created, metadata=metadata(volume)
        )
        for volume in listed(plane.state.volumes, environment, request.pagination)
    ]
    return api_pb2.VolumeListResponse(items=items, environment_name=environment)


@call
async def VolumeDelete(plane, request, task):
    volume = get(plane.state.volumes, request.volume_id, "Volume")
    del plane.state.volumes[volume.id]
    shutil.rmtree(volume.folder)
    return Empty()


# Files from outside.


def inside(volume: Volume, path: str) -> Path:
    """Where a path of a volume is on this machine."""
    parts = [part for part in PurePosixPath(path).parts if part != "/"]
    if ".." in parts:
        raise GRPCError(Status.INVALID_ARGUMENT, f"{path} leads out of the volume")
    return volume.folder.joinpath(*parts)


def write(path: Path, content: bytes, mode: int = 0o644):
    """Whole or not at all, as a commit is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.aside")
    aside.write_bytes(content)
    aside.chmod(mode)
    aside.rename(path)


@call
async def VolumePutFiles(plane, request, task):
    volume = get(plane.state.volumes, request.volume_id, "Volume")
    paths = [inside(volume, file.filename) for file in request.files]
    there = [file.filename for file, path in zip(request.files, paths) if path.exists()]
    if there and request.disallow_overwrite_existing_files:
        raise GRPCError(Status.ALREADY_EXISTS, f"{there[0]}: already exists")
    for file, path in zip(request.files, paths):
        write(path, plane.blobs.content(file.sha256_hex), file.mode or 0o644)
    plane.state.changes.happened()
    return Empty()


def _entries(volume: Volume, request) -> list[api_pb2.FileEntry]:
    top = inside(volume, request.path)
    if not top.exists():
        raise not_found(f"{request.path}: no such file or directory")
    if top.is_file():
        found = [top]
    else:
        found = sorted(top.rglob("*") if request.recursive else top.iterdir())
    return [_entry(volume, path) for path in found]


def _entry(volume: Volume, path: Path) -> api_pb2.FileEntry:
    if path.is_symlink():
        kind = api_pb2.FileEntry.SYMLINK
    elif path.is_dir():
        kind = api_pb2.FileEntry.DIRECTORY
    else:
        kind = api_pb2.FileEntry.FILE
    facts = path.lstat()
    name = path.relative_to(volume.folder).as_posix()
    return api_pb2.FileEntry(path=name, type=kind, mtime=int(facts.st_mtime), size=facts.st_size)


@call
async def VolumeListFiles(plane, request, task):
    volume = get(plane.state.volumes, request.volume_id, "Volume")
    yield api_pb2.VolumeListFilesResponse(entries=_entries(volume, request))


@call
async def VolumeListFiles2(plane, request, task):
    volume = get(plane.state.volumes, request.volume_id, "Volume")
    yield api_pb2.VolumeListFiles2Response(entries=_entries(volume, request))


@call
async def VolumeGetFile2(plane, request, task):
    volume = get(plane.state.volumes, request.volume_id, "Volume")
    path = inside(volume, request.path)
    if not path.is_file():
        raise not_found(f"{request.path}: no such file")
    content = path.read_bytes()
    end = request.start + request.len if request.len else len(content)
    part = content[request.start : end]
    urls = [plane.blobs.lend(part[at : at + BLOCK]) for at in range(0, len(part), BLOCK)]
    return api_pb2.VolumeGetFile2Response(
        get_urls=urls, size=len(content), start=request.start, len=len(part)
    )


async def _remove(plane, request):
    volume = get(plane.state.volumes, request.volume_id, "Volume")
    path = inside(volume, request.path)
    if path.is_dir() and request.recursive:
        shutil.rmtree(path)
    elif path.is_file():
        path.unlink()
    else:
        raise not_found(f"{request.path}: no such file")
    return Empty()


@call
async def VolumeRemoveFile(plane, request, task):
    return await _remove(plane, request)


@call
async def VolumeRemoveFile2(plane, request, task):
    return await _remove(plane, request)


# What a container has of it.


class Copy:
    """A volume as one container sees it."""

    def __init__(self, volume: Volume, folder: Path):
        self.volume, self.folder = volume, folder
        shutil.copytree(volume.folder, folder, symlinks=True)
        self._seen = self._state()

    def refresh(self):
        """What was committed meanwhile, by others, appears. The folder itself is mounted and stays."""
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        shutil.copytree(self.volume.folder, self.folder, symlinks=True, dirs_exist_ok=True)
        self._seen = self._state()

    def commit(self):
        now = self._state()
        for path in self._seen.keys() - now.keys():
            (self.volume.folder / path).unlink(missing_ok=True)
        for path, facts in now.items():
            if self._seen.get(path) != facts:
                target = self.volume.folder / path
                source = self.folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                if source.is_symlink():
                    target.unlink(missing_ok=True)
                    target.symlink_to(os.readlink(source))
                else:
                    write(target, source.read_bytes(), source.stat().st_mode & 0o777)
        self._seen = now

    def _state(self) -> dict[Path, tuple]:
        files = (path for path in self.folder.rglob("*") if path.is_symlink() or path.is_file())
        facts = ((path, path.lstat()) for path in files)
        return {
            path.relative_to(self.folder): (fact.st_ino, fact.st_size, fact.st_mtime_ns)
            for path, fact in facts
        }


@call
async def VolumeCommit(plane, request, task):
    copy = _copy_of(task, request.volume_id)
    copy.commit()
    plane.state.changes.happened()
    return api_pb2.VolumeCommitResponse(skip_reload=True)


@call
async def VolumeReload(plane, request, task):
    copy = _copy_of(task, request.volume_id)
    copy.commit()
    copy.refresh()
    return Empty()


def _copy_of(task, volume_id: str) -> Copy:
    if task is None or volume_id not in task.volumes:
        raise not_found(f"Volume {volume_id} is not mounted here.")
    return task.volumes[volume_id]
