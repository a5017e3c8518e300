"""The way to a Ray cluster: addresses, versions that must agree, and what is said where there is none."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from affectgen.errors import AffectgenError, UsageError

AUTO = "auto"
CLIENT = "ray://"
CLIENT_PORT = 10001  # where a head node listens for Ray's client
REACH = 5.0  # seconds that a machine gets to answer
FORM = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})")
SETTINGS = b"\x04"  # kind of the frame that each end of HTTP/2 sends first (RFC 9113, 3.4)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + SETTINGS + b"\0\0\0\0\0"
INSTALL = "Install it: pip install 'affectgen[cluster]'"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def split_address(address: str) -> tuple[str, int] | None:
    """Host and port of `ray://host[:port]` (Ray's client) or `host:port` (a node's own service), None for `auto`.

    UsageError for what has none of these forms.
    """
    if address == AUTO:
        return None
    plain = address.removeprefix(CLIENT)
    if address.startswith(CLIENT) and ":" not in plain.rpartition("]")[2]:
        plain = f"{plain}:{CLIENT_PORT}"
    found = FORM.fullmatch(plain)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise UsageError(f"{address!r} is no address of a Ray cluster.", "Use ray://HOST:PORT, HOST:PORT or auto.")
    return found["host"].strip("[]"), int(found["port"])


def connect(address: str) -> Any:
    """The module `ray`, connected to a cluster; `ray.shutdown()` ends it.

    AffectgenError where Ray is not installed, nothing answers, or the cluster's Ray or Python is another one.
    """
    if address == AUTO and os.environ.get("RAY_ADDRESS", AUTO) != AUTO:
        address = os.environ["RAY_ADDRESS"]
    place = split_address(address)
    if find_spec("ray") is None:
        raise AffectgenError("--cluster needs the package ray, which is not installed.", INSTALL)
    if address.startswith(CLIENT) and find_spec("grpc") is None:
        raise AffectgenError(f"{CLIENT} needs the package grpcio, which is not installed.", INSTALL)
    if place is not None:
        _reach(address, *place)
    with _own_signals():
        with _silent():
            import ray

        if ray.is_initialized():
            raise AffectgenError("This process is connected to a Ray cluster already.", "Call ray.shutdown() first.")
        full = f"{CLIENT}{_joined(*place)}" if place is not None and address.startswith(CLIENT) else address
        try:
            ray.init(address=full, log_to_driver=False, logging_level="CRITICAL")
        except Exception as error:  # Ray raises nearly everything: RuntimeError, ConnectionError, ValueError ...
            raise _explained(address, error) from error
    return ray


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reach(address: str, host: str, port: int) -> None:
    """Whether something there speaks as Ray's services do, which is HTTP/2: Ray itself would try for minutes, deaf to
    Ctrl-C."""
    hint = "Look at `ray status` on the head node, and at firewalls."
    try:
        with socket.create_connection((host, port), timeout=REACH) as there:
            if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):  # it is for Ray to speak first
                return
            there.sendall(PREFACE)
            answer = there.recv(9)
    except OSError as error:
        why = error.strerror if error.strerror is not None else str(error)
        raise AffectgenError(f"No Ray cluster answers at {address}: {why}.", hint) from error
    if answer[3:4] != SETTINGS:
        raise AffectgenError(f"What answers at {address} is no Ray cluster.", hint)


def _explained(address: str, error: Exception) -> AffectgenError:
    """What Ray said, as one sentence."""
    text = " ".join(str(error).split())
    if re.search(r"version.*(mismatch|differ|incompatible)|differ.*version", text, re.IGNORECASE):
        told = re.findall(r"(?:Ray|Python): ?([\w.+-]+)", text)
        pairs = ""
        if len(told) == 4:
            pairs = f": it has Ray {told[0]} and Python {told[1]}, here are {told[2]} and {told[3]}"
        return AffectgenError(
            f"The cluster at {address} has another version of Ray or Python{pairs}.",
            "Use the same Python and ray here as on the nodes.",
        )
    if isinstance(error, ConnectionError) and address == AUTO:
        return AffectgenError("No Ray cluster runs on this machine.", "Start one: ray start --head; or name one.")
    return AffectgenError(
        f"The Ray cluster at {address} did not take us: {text[:200]}", "Look at `ray status` on the head node."
    )


@contextmanager
def _silent() -> Iterator[None]:
    """Ray, imported in the block, prints nothing of its nodes: it would go to standard output, among the results. It
    reads this from the environment, and gives no other way."""
    wanted = {"RAY_DEDUP_LOGS": "1", "RAY_DEDUP_LOGS_SKIP_REGEX": ".*", "RAY_DEDUP_LOGS_ALLOW_REGEX": ""}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _own_signals() -> Iterator[None]:
    """What signals do stays as it is: Ray would have SIGTERM end the process its way."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
