"""Results that lie in temporary files, and go with their owner."""

from __future__ import annotations

import gc
import hashlib

from affectgen.spooled import CHUNK, Spooled


def test_it_gives_what_the_file_holds_again_and_again() -> None:
    data = bytes(range(256)) * (CHUNK // 200)
    with Spooled.empty(".wav") as spooled:
        assert spooled.path.suffix == ".wav"
        assert spooled.size == 0
        spooled.path.write_bytes(data)
        assert spooled.size == len(data)
        assert spooled.read() == b"".join(spooled.chunks()) == data
        assert max(len(chunk) for chunk in spooled.chunks()) <= CHUNK
        assert spooled.sha256() == hashlib.sha256(data).hexdigest()
    assert not spooled.path.exists()
    spooled.close()


def test_the_file_goes_when_nobody_refers_to_it(tmp_path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    spooled = Spooled(path)
    assert spooled.read() == b"one"
    del spooled
    gc.collect()
    assert not path.exists()
