"""Runs commands of the unmodified `openstack` client, each in a fork of this process, which has imported it once.

Reads lines of JSON, {"argv": [...], "timeout": seconds}, and answers each with a line {"code", "stdout", "stderr"}. The
first line it writes lists the load-balancer commands and the versions of what is installed. Ends with its input.
"""

import importlib
import importlib.metadata
import json
import os
import signal
import sys
import tempfile
import time

GROUP = "openstack.load_balancer.v2"
PACKAGES = ("python-octaviaclient", "python-openstackclient", "openstacksdk")
# What a command would import anyway; imported before the forks, it is paid for once.
PRELOADED = (
    "openstackclient.shell",
    "openstackclient.common.clientmanager",
    "openstack",
    "openstack.connection",
    "keystoneauth1.identity",
    "keystoneauth1.loading",
    "cliff.formatters.json_format",
    "cliff.formatters.table",
    "octaviaclient.osc.plugin",
    "octaviaclient.api.v2.octavia",
)


def commands():
    return importlib.metadata.entry_points(group=GROUP)


def preload():
    for name in PRELOADED:
        importlib.import_module(name)
    for point in importlib.metadata.entry_points(group="openstack.cli.extension"):
        try:
            point.load()
        except ImportError:
            pass
    for command in commands():
        command.load()


def run(argv, timeout):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            become_command(argv, out, err)
        code = wait_for(child, timeout)
        return {"code": code, "stdout": read(out), "stderr": read(err)}


def become_command(argv, out, err):
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        from openstackclient import shell

        code = shell.main(argv)
    except SystemExit as end:
        code = end.code
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def wait_for(child, timeout):
    deadline = time.monotonic() + timeout
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return 124
        time.sleep(0.01)


def read(file):
    file.seek(0)
    return file.read().decode(errors="replace")


def main():
    preload()
    answer(
        {
            "commands": sorted({command.name.replace("_", " ") for command in commands()}),
            "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        }
    )
    for line in sys.stdin:
        request = json.loads(line)
        answer(run(request["argv"], request["timeout"]))


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
