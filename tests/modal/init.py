"""The first process of a container: makes it a root of its own, starts the entrypoint, buries the dead.

Reads from standard input one line of JSON, what to make, and then names of signals, one a line, for the
entrypoint. At the end of standard input everything in the container ends.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
LIBC = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: Path, kind: str = "", flags: int = 0, data: str = ""):
    words = (source.encode(), os.fsencode(target), kind.encode() or None, flags, data.encode() or None)
    if LIBC.mount(*words[:3], ctypes.c_ulong(flags), words[4]) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"mounting {source}: {os.strerror(error)}", str(target))


def bind(source: Path, target: Path, read_only: bool):
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(str(source), target, flags=MS_BIND | MS_REC)
    if read_only:
        mount(str(source), target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)


def make_root(given: dict) -> Path:
    """This machine's files with a layer of memory on top, without anybody's home and temporary files."""
    mount("none", Path("/"), flags=MS_REC | MS_PRIVATE)
    memory = Path(given["folder"], "memory")
    memory.mkdir()
    mount("tmpfs", memory, "tmpfs")
    for name in ("upper", "work", "root"):
        (memory / name).mkdir(mode=0o755)
    root = memory / "root"
    mount("overlay", root, "overlay", data=f"lowerdir=/,upperdir={memory}/upper,workdir={memory}/work")
    # Homes are found through, for programs of this machine that are below one.
    for name, mode in (("tmp", 0o1777), ("root", 0o711), ("home", 0o755), ("var/tmp", 0o1777)):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        mount("tmpfs", folder, "tmpfs", data=f"mode={mode:o}")
    mount("proc", root / "proc", "proc")
    for name in ("dev", "sys"):
        mount(f"/{name}", root / name, flags=MS_BIND | MS_REC)
    return root


def fill(root: Path, given: dict):
    def of(path: str | Path) -> Path:
        return root / str(path).lstrip("/")

    for path in given["expose"]:
        if not is_there(of(path)):
            bind(Path(path), of(path), read_only=True)
    for path in given["share"]:
        bind(Path(path), of(path), read_only=False)
    bind(Path(given["modal"]), root / "__modal", read_only=False)
    for file in given["files"]:
        target = of(file["path"])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file["source"], target)
        target.chmod(file["mode"])
    for volume in given["volumes"]:
        bind(Path(volume["source"]), of(volume["path"]), read_only=False)
    for name, path in given["programs"].items():
        link = Path("/usr/local/bin", name)
        if path != str(link):
            of(link).unlink(missing_ok=True)
            of(link).symlink_to(path)
    for command in given["commands"]:
        subprocess.run(["chroot", root, "/bin/sh", "-c", command], check=True)


def is_there(path: Path) -> bool:
    """An empty folder is where a file system of its own was."""
    return path.is_file() or (path.is_dir() and any(path.iterdir()))


def start(root: Path, given: dict) -> int:
    child = os.fork()
    if child:
        return child
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chroot(root)
    os.chdir("/root")
    os.execve(given["argv"][0], given["argv"], given["env"])


def pass_on_signals(child: int):
    for line in sys.stdin:
        os.kill(child, signal.Signals[f"SIG{line.strip()}"])
    # The first process of a container takes all others with it.
    os._exit(128 + signal.SIGKILL)


def wait_for(child: int) -> int:
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status)


def left_behind(proc: Path) -> list[str]:
    """Command lines of what still lives, other than this."""
    found = []
    for process in proc.iterdir():
        if process.name.isdigit() and process.name != "1":
            try:
                words = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if words:
                found.append(words.replace(b"\0", b" ").decode(errors="replace").strip())
    return found


def main() -> int:
    given = json.loads(sys.stdin.readline())
    root = make_root(given)
    fill(root, given)
    child = start(root, given)
    threading.Thread(target=pass_on_signals, args=(child,), daemon=True).start()
    code = wait_for(child)
    report = Path(given["folder"], "left-behind.json")
    report.write_text(json.dumps(left_behind(root / "proc")))
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(main())
