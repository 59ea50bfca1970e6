"""Talks to Modal for `changeling`: requests on standard input, their answers on standard output.

A request is one JSON document in a line, `{"op": ..., "environment": null or a name, ...}`; `OPS` says
which module answers which. The next is read when one is answered. Answers are JSON documents, one a
line: `connected` when Modal has answered for the first time, then those of the op, `error` for what
went wrong, and `done` at the end. Nothing else is printed there. Secrets are in requests alone.
"""

import gc
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
    # Of messages that only Modal's own programs send: known, and said in report.py.
    warnings.simplefilter("ignore")
    connected = False
    for line in sys.stdin:
        report.went_on()
        request = json.loads(line)
        try:
            import modal

            import pulse

            # Messages of our own do not look there by themselves.
            default = modal.config.config.get("environment")
            request["environment"] = request["environment"] or default
            if not connected:
                # What is loaded stays: looking for garbage in it again and again takes a tenth of the time.
                gc.freeze()
                gc.set_threshold(100_000)
                modal.Client.from_env().hello()
                pulse.check()
                report.emit("connected", client=modal.__version__)
                connected = True
            op = request["op"]
            pulse.begin(op)
            getattr(importlib.import_module(OPS[op]), op)(request)
            pulse.end()
        except Exception as error:
            report.failed(error)
            return 1
        report.emit("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
