"""Addresses of Ray clusters, and what answers there; nothing here needs Ray."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from affectgen.batch.cluster import cluster_connect
from affectgen.batch.cluster.cluster import places
from affectgen.batch.cluster.cluster_connect import connect, split_address
from affectgen.errors import AffectgenError, UsageError


@pytest.fixture
def listener() -> Iterator[Callable[[bytes], int]]:
    """Starts something that answers one caller with these bytes, and then waits; its port."""
    open_ones: list[socket.socket] = []

    def serve(server: socket.socket, answer: bytes) -> None:
        caller, _ = server.accept()
        open_ones.append(caller)
        caller.sendall(answer)

    def start(answer: bytes) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        open_ones.append(server)
        threading.Thread(target=serve, args=(server, answer), daemon=True).start()
        return int(server.getsockname()[1])

    yield start
    for each in open_ones:
        each.close()


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("auto", None),
        ("ray://head", ("head", 10001)),
        ("ray://head.example.org:10002", ("head.example.org", 10002)),
        ("10.0.0.7:6379", ("10.0.0.7", 6379)),
        ("ray://[fe80::1]", ("fe80::1", 10001)),
        ("[fe80::1]:6379", ("fe80::1", 6379)),
    ],
)
def test_addresses_that_are(address, place):
    assert split_address(address) == place


@pytest.mark.parametrize(
    "address",
    ["", "head", "head:", "head:0", "head:65536", "http://head:1", "ray://", "ray://a:b", "a b:1", "fe80::1:6379"],
)
def test_addresses_that_are_not(address):
    with pytest.raises(UsageError, match="is no address of a Ray cluster"):
        split_address(address)


def test_what_does_not_speak_as_ray_is_refused_at_once(listener, monkeypatch):
    monkeypatch.setattr(cluster_connect, "find_spec", lambda name: object())  # as if it were installed
    monkeypatch.setattr(cluster_connect, "REACH", 0.3)
    for address in ("127.0.0.1:{}", "ray://127.0.0.1:{}"):
        with pytest.raises(AffectgenError, match="is no Ray cluster"):
            connect(address.format(listener(b"HTTP/1.1 400 Bad Request\r\n\r\n")))
        with pytest.raises(AffectgenError, match=r"No Ray cluster answers at .*timed out"):
            connect(address.format(listener(b"")))


def test_ray_address_is_what_auto_means(monkeypatch):
    monkeypatch.setattr(cluster_connect, "find_spec", lambda name: object())
    monkeypatch.setenv("RAY_ADDRESS", "no address")
    with pytest.raises(UsageError, match="'no address' is no address"):
        connect("auto")


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(cluster_connect, "find_spec", lambda name: None)
    with pytest.raises(AffectgenError, match=r"package ray.*pip install 'affectgen\[cluster\]'"):
        connect("auto")


@pytest.mark.parametrize(
    ("resources", "device", "expected"),
    [
        ({"CPU": 8.0}, "auto", (False, 8)),
        ({"CPU": 8.0, "GPU": 2.0}, "auto", (True, 2)),
        ({"CPU": 8.0, "GPU": 2.0}, "cuda", (True, 2)),
        ({"CPU": 8.0, "GPU": 2.0}, "cpu", (False, 8)),
        ({"GPU": 1.0}, "auto", (True, 1)),
    ],
)
def test_places_are_gpus_where_there_are(resources, device, expected):
    assert places(resources, device) == expected


@pytest.mark.parametrize(("resources", "device"), [({}, "auto"), ({"GPU": 2.0}, "cpu"), ({"CPU": 3.0}, "cuda:1")])
def test_a_cluster_without_places_is_refused(resources, device):
    with pytest.raises(AffectgenError, match=r"the cluster has no GPU|neither GPUs nor processors"):
        places(resources, device)
