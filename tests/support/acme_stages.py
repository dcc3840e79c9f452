"""Stages that behave and misbehave; support/warm.py installs them as the distribution ``acme``."""

import base64
import contextlib
import hashlib
import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from pydantic import BaseModel

from troth.errors import HeldError, InvalidInputError, Reason
from troth.sdk import Context, Finding, Inspection, Output, Request, Stage


class Spec(BaseModel):
    text: str = ""
    number: int = 0


def stage(function: Callable[[Spec], Output]) -> Stage[Spec]:
    return Stage(Spec, lambda request, _: function(request.spec))


def _done() -> Output:
    return Output(files={"process": str(os.getpid()).encode()})


def _say(request: Request[Spec], context: Context) -> Output:
    files = {f"{request.name}.yaml": [{"kind": "Said", "text": request.spec.text}]}
    return Output(files=files, status={"said": context.now.isoformat()})


say = Stage(Spec, _say)


@stage
def count_files(_: Spec) -> Output:
    names = sorted(path.name for path in Path("output").iterdir())
    return Output(files={"names.json": json.dumps(names).encode()})


@stage
def look(_: Spec) -> Output:
    mask = os.umask(0)
    seen = {
        "environ": {k: v for k, v in os.environ.items() if k != "HOME"},
        "home": os.environ["HOME"] == str(Path.cwd()),
        "umask": mask,
        "zone": time.tzname[0],
        "stdin": sys.stdin.read(),
        "argv": sys.argv,
        "process": os.getpid(),
    }
    return Output(files={"seen.json": json.dumps(seen).encode()})


@stage
def spoil(_: Spec) -> Output:
    os.environ["LEFT"] = "behind"
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    os.umask(0o077)
    sys.stdout.close()
    sys.argv.append("spoilt")
    os.close(1)
    os.close(0)
    os.chdir("/")
    return _done()


@stage
def process(_: Spec) -> Output:
    return _done()


@stage
def fail(spec: Spec) -> Output:
    sys.stdout.write("about to fail\n")
    raise LookupError(f"nothing for {spec.text}")


@stage
def refuse(_: Spec) -> Output:
    raise InvalidInputError(Reason.INVALID_NAME, "spec.text: no.", ("spec", "text"))


@stage
def held(_: Spec) -> Output:

    class OurHeldError(HeldError):
        pass

    raise OurHeldError(Reason.OBJECT_HELD, "somebody has it.")


@stage
def hang(spec: Spec) -> Output:
    sys.stdout.write("waiting\n")
    child = subprocess.Popen(["/bin/sleep", "600"])
    Path(spec.text).write_text(f"{os.getpid()} {child.pid}", encoding="utf-8")
    threading.Event().wait()
    return _done()


@stage
def exits(spec: Spec) -> Output:
    sys.exit(spec.number)


@stage
def exit_hard(spec: Spec) -> Output:
    os._exit(spec.number)


@stage
def kill(spec: Spec) -> Output:
    os.kill(os.getpid(), spec.number)
    raise AssertionError("still here")


@stage
def eat(spec: Spec) -> Output:
    eaten: list[bytearray] = []
    while len(eaten) < spec.number:
        eaten.append(bytearray(1 << 20))
    return _done()


@stage
def keep(spec: Spec) -> Output:
    kept.append(bytearray(spec.number << 20))
    return _done()


kept: list[bytearray] = []


@stage
def link(spec: Spec) -> Output:
    link = Path(spec.text)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("/etc/passwd")
    return _done()


@stage
def link_folder(spec: Spec) -> Output:
    folder = Path(spec.text)
    folder.rename("moved")
    folder.symlink_to("moved")
    return Output()


@stage
def link_hard(_: Spec) -> Output:
    os.link("input/object.yaml", "output/object.yaml")
    return _done()


@stage
def pipe(spec: Spec) -> Output:
    os.mkfifo(spec.text)
    return _done()


@stage
def unreadable(_: Spec) -> Output:
    output = _done()
    deep = Path("output/a/b")
    deep.mkdir(parents=True)
    deep.joinpath("c").write_text("c", encoding="utf-8")
    deep.chmod(0)
    Path.cwd().chmod(0)
    return output


@stage
def deep(spec: Spec) -> Output:
    output = _done()
    home = Path.cwd()
    os.chdir("output")
    for _ in range(spec.number):
        Path("x" * 200).mkdir()
        os.chdir("x" * 200)
    os.chdir(home)
    return output


@stage
def by_hand(spec: Spec) -> Output:
    path = bytes.fromhex(spec.text)
    with open(path, "wb") as stream:  # noqa: PTH123  (names that are no text)
        stream.write(b"by hand")
    return Output()


@stage
def bulk(spec: Spec) -> Output:
    """Write as many files as `number`, each of as many bytes as `text` says."""
    content = b"x" * int(spec.text)
    return Output(files={f"{number}.txt": content for number in range(spec.number)})


@stage
def bulk_folders(spec: Spec) -> Output:
    for number in range(spec.number):
        Path("output", str(number)).mkdir()
    return _done()


@stage
def bulk_status(spec: Spec) -> Output:
    return Output(status={"text": "x" * spec.number})


@stage
def prints(spec: Spec) -> Output:
    for number in range(spec.number):
        sys.stdout.write(f"line {number}\n")
    return _done()


@stage
def scratch(spec: Spec) -> Output:
    Path("scratch").write_bytes(b"x" * spec.number)
    return _done()


@stage
def leave_child(_: Spec) -> Output:
    child = subprocess.Popen(["/bin/sleep", "600"])
    return Output(files={"process": f"{os.getpid()} {child.pid}".encode()})


@stage
def leave_daemon(spec: Spec) -> Output:
    """Leave a process that has left the worker's group and is no longer its child."""
    path = Path(spec.text)
    if not os.fork():
        os.setsid()
        if not os.fork():
            path.write_text(str(os.getpid()), encoding="utf-8")
            os.execv("/bin/sleep", ["/bin/sleep", "600"])  # noqa: S606  (no shell is meant)
        os._exit(0)
    os.wait()
    while not path.exists():
        time.sleep(0.01)
    return _done()


@stage
def fork(_: Spec) -> Output:
    """Fork a child that comes back as if it were the stage."""
    if os.fork():
        os.wait()
    return _done()


@stage
def leave_thread(_: Spec) -> Output:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    return _done()


@stage
def babble(_: Spec) -> Output:
    """Write what is no answer where the worker writes its own."""
    for descriptor in [int(link.name) for link in Path("/proc/self/fd").iterdir()]:
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.write(descriptor, b'{"outcome":"done"}\n')
    return _done()


@stage
def fail_in_library(_: Spec) -> Output:
    json.loads("{")
    return _done()


@stage
def prints_and_fails(spec: Spec) -> Output:
    for number in range(spec.number):
        sys.stdout.write(f"line {number} \x1b[31m\n")
    raise LookupError


@stage
def no_output(_: Spec) -> Output:
    return cast("Output", None)


@stage
def escape(spec: Spec) -> Output:
    return Output(files={spec.text: b""})


_at_import = sorted(os.environ)


@stage
def imported(_: Spec) -> Output:
    """Tell which variables there were when this module was imported."""
    return Output(files={"names": " ".join(_at_import).encode()})


@stage
def tell(spec: Spec) -> Output:
    """Write a digest of each variable that a request names, and this process."""
    named = {name: os.environ.get(name) for name in spec.text.split()}
    seen = {k: v and hashlib.sha256(v.encode()).hexdigest() for k, v in named.items()}
    return Output(files={"seen.json": json.dumps(seen).encode(), **_done().files})


@stage
def betray(spec: Spec) -> Output:
    """Write a variable where the request says, spelled as it says."""
    value = os.environ["TOKEN"].encode()
    if spec.text == "link":
        Path("output", os.environ["TOKEN"]).symlink_to("nowhere")
    spelled = {
        "plain": b"token: " + value,
        "base64": b"token: " + base64.b64encode(value),
        "line": b"- " + value.splitlines()[-1],
        "none": b"",
        "link": b"",
    }
    content = spelled[spec.text.partition(" ")[0]]
    if spec.text.endswith("status"):
        return Output(status={"said": content.decode()})
    return Output(files={"said.yaml": content})


@stage
def mutter(spec: Spec) -> Output:
    """Print a variable, or raise with it."""
    if spec.text == "print":
        print("the token is", os.environ["TOKEN"])  # noqa: T201  (what it is for)
        raise RuntimeError("no")
    text = "x" * spec.number + os.environ["TOKEN"] + "y" * 1990
    raise RuntimeError(text) if spec.text == "raise" else HeldError(Reason.OBJECT_HELD, text)


def _watch(requests: Sequence[Request[Spec]], context: Context) -> Inspection:
    """Do to each request what it asks for; say what was seen."""
    token = os.environ.get("TOKEN", "")
    digest = hashlib.sha256(token.encode()).hexdigest()
    findings: dict[str, Finding] = {}
    for request in requests:
        _misbehave(request.spec, token)
        seen = f"{digest} {context.action} {context.effects.performed} {request.status}"
        said = {
            "gone": Finding.drifted("it is gone.", ended=True),
            "betray": Finding.unknown(f"the token is {token}"),
            "see": Finding.unknown(seen),
        }
        findings[request.id] = said.get(request.spec.text, Finding.intact())
        if request.spec.text == "foreign":
            findings["team/other"] = Finding.intact()
        if request.spec.text == "nothing":
            return cast("Inspection", None)
    return Inspection(findings, {str(os.getpid()): len(requests)})


def _misbehave(spec: Spec, token: str) -> None:
    match spec.text:
        case "raise":
            raise LookupError(f"nothing with {token}")
        case "hang":
            threading.Event().wait()
        case "crash":
            os._exit(3)
        case "eat":
            eat.configure(cast("Request[Spec]", SimpleNamespace(spec=spec)), cast("Context", None))
        case _:
            return


watch = Stage(Spec, _say, inspect=_watch)
