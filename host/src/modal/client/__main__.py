"""Talks to Modal for `changeling`: one request on standard input, its answers on standard output.

The request is one JSON document, `{"op": ..., "environment": null or a name, ...}`; `OPS` says which
module answers which. Answers are JSON documents, one a line: `connected` when Modal has answered,
then those of the op, `error` for what went wrong, and `done` at the end. Nothing else is printed
there. Secrets are in requests alone.
"""

import importlib
import json
import sys
import warnings

import report

OPS = {
    "check": "deploy",
    "deploy": "deploy",
    "inspect": "deploy",
    "adopt": "deploy",
    "stop": "deploy",
    "verify": "deploy",
    "look": "look",
    "files": "look",
    "spawn": "look",
    "follow": "look",
    "logs": "look",
    "forgive": "look",
}


def main():
    report.take_stdout()
    request = json.loads(sys.stdin.read())
    # Of messages that only Modal's own programs send: known, and said in report.py.
    warnings.simplefilter("ignore")
    try:
        import modal

        # Messages of our own do not look there by themselves.
        default = modal.config.config.get("environment")
        request["environment"] = request["environment"] or default
        modal.Client.from_env().hello()
        report.emit("connected", client=modal.__version__)
        module = importlib.import_module(OPS[request["op"]])
        getattr(module, request["op"])(request)
    except Exception as error:
        report.failed(error)
        return 1
    report.emit("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
