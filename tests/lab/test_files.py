"""Files are written whole or not at all, and every flipped bit is found."""

import errno
import os
import random

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from catallax.core.errors import EnvironmentFailure, FileError
from catallax.lab import files
from catallax.lab.program import HostTree, from_host, to_host

SPEC = "ab" * 32
ABOUT = {"kind": "state", "spec": SPEC, "step": 7}


def some_arrays():
    return {
        "state.float": np.arange(60, dtype=np.float32).reshape(3, 4, 5),
        "state.scalar": np.float64(0.1) * np.ones(()),
        "state.none": np.zeros((0, 3), np.int32),
        "state.flag": np.array([True, False]),
        "state.short": np.arange(3).astype(ml_dtypes.bfloat16),
        "state.one": np.ones((), ml_dtypes.bfloat16),
        "state.complex": np.array([1 + 2j, 3 - 1j]),
        "state.word": np.array([2**32 - 1], np.uint32),
    }


def same(a, b):
    def seen(x):
        return x.dtype, x.shape, x.tobytes()

    return {k: seen(x) for k, x in a.items()} == {k: seen(x) for k, x in b.items()}


def read(path):
    return files.read_arrays(path, "state", SPEC)


def test_arrays_come_back_bit_for_bit(tmp_path):
    path = tmp_path / "state.safetensors"
    size = files.write_arrays(path, some_arrays(), ABOUT)
    found = read(path)
    assert same(found.arrays, some_arrays())
    assert found.about["step"] == 7
    assert path.stat().st_size == size
    files.write_arrays(path, {}, ABOUT)
    assert read(path).arrays == {}


def test_the_same_arrays_give_the_same_file():
    assert files.encode(some_arrays(), ABOUT) == files.encode(some_arrays(), ABOUT)


def test_a_file_is_safetensors(tmp_path):
    import safetensors.numpy

    data = files.encode({"a": np.ones(3, np.float32)}, ABOUT)
    assert safetensors.numpy.load(data)["a"].tolist() == [1, 1, 1]


def test_a_file_cut_at_any_offset_is_refused(tmp_path):
    data = files.encode(some_arrays(), ABOUT)
    path = tmp_path / "cut.safetensors"
    for offset in {0, 1, 7, 8, 9, *np.linspace(10, len(data) - 1, 20).astype(int).tolist()}:
        path.write_bytes(data[:offset])
        with pytest.raises(FileError, match=r"cut\.safetensors: ") as caught:
            read(path)
        assert "\n" not in str(caught.value)
    path.write_bytes(data + b"\0")
    with pytest.raises(FileError, match="altered"):
        read(path)


def test_any_flipped_bit_is_found(tmp_path):
    data = files.encode(some_arrays(), ABOUT)
    header = 8 + int.from_bytes(data[:8], "little")
    path = tmp_path / "flip.safetensors"
    lot = random.Random(1)
    for position in [*range(header), *range(header, len(data), 5)]:
        altered = bytearray(data)
        altered[position] ^= 1 << lot.randrange(8)
        with pytest.raises(FileError):
            files.decode(bytes(altered), str(path))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 100,
        (2**60).to_bytes(8, "little") + b"{}",
        b"\x80\x04K\x01.",
        b"\x02" + b"\0" * 7 + b"{}",
    ],
)
def test_what_is_no_array_file_is_refused(tmp_path, data):
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(FileError, match=r"x\.safetensors: "):
        read(path)


def test_a_right_file_in_the_wrong_place_is_refused(tmp_path):
    path = tmp_path / "state.safetensors"
    files.write_arrays(path, some_arrays(), ABOUT)
    with pytest.raises(FileError, match="holds 'state', not 'series'"):
        files.read_arrays(path, "series", SPEC)
    with pytest.raises(FileError, match="belongs to another run"):
        files.read_arrays(path, "state", "cd" * 32)
    with pytest.raises(FileError, match="no such file"):
        read(tmp_path / "missing.safetensors")
    with pytest.raises(FileError, match="cannot be read"):
        read(tmp_path)


# ------------------------------------------------------------------------------- trees


def a_tree():
    return {"key": jax.random.split(jax.random.key(3), 2), "w": (jnp.ones((2, 3)), jnp.int32(4))}


def test_a_tree_with_keys_comes_back():
    host = to_host(a_tree())
    back = from_host(host, jax.eval_shape(a_tree), "x")
    assert jax.random.key_data(back["key"]).tolist() == jax.random.key_data(a_tree()["key"]).tolist()
    assert back["key"].dtype == a_tree()["key"].dtype
    assert jax.tree.structure(back) == jax.tree.structure(a_tree())


@pytest.mark.parametrize(
    "other",
    [
        lambda t: {**t, "extra": jnp.ones(2)},
        lambda t: {"key": t["key"]},
        lambda t: {**t, "w": (jnp.ones((2, 4)), jnp.int32(4))},
        lambda t: {**t, "w": (jnp.ones((2, 3), jnp.int32), jnp.int32(4))},
        lambda t: {**t, "key": t["key"][:1]},
        lambda t: {**t, "key": jax.random.key_data(t["key"])},
        lambda t: {**t, "key": jax.random.split(jax.random.key(3, impl="rbg"), 2)},
    ],
)
def test_a_tree_of_another_form_is_refused(other):
    like = jax.eval_shape(lambda: other(a_tree()))
    with pytest.raises(FileError, match="x: "):
        from_host(to_host(a_tree()), like, "x")


def test_a_key_that_is_none_is_refused():
    host = to_host(a_tree())
    odd = HostTree({**host.arrays, "state['key']": np.ones(5, np.float32)}, host.keys)
    with pytest.raises(FileError, match="not a PRNG key"):
        from_host(odd, jax.eval_shape(a_tree), "x")


# ------------------------------------------------------------------------------- every operation may fail


class Failing:
    """Lets the n-th of the operating system's writing calls fail; counts them all."""

    def __init__(self, monkeypatch, nth, code, short=False):
        self.count, self.nth, self.code = 0, nth, code
        for name in ("open", "write", "fsync", "replace"):
            monkeypatch.setattr(os, name, self.wrap(name, getattr(os, name), short))

    def wrap(self, name, real, short):
        def call(*args, **kwargs):
            self.count += 1
            if self.count == self.nth:
                if short and name == "write":
                    return real(args[0], bytes(args[1])[: len(args[1]) // 2])
                raise OSError(self.code, os.strerror(self.code))
            return real(*args, **kwargs)

        return call


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
def test_whichever_operation_fails_the_old_file_stays(tmp_path, code):
    path = tmp_path / "state.safetensors"
    files.write_arrays(path, {"a": np.zeros(1000)}, ABOUT)
    n = 0
    while True:
        n += 1
        with pytest.MonkeyPatch.context() as patch:
            failing = Failing(patch, n, code)
            try:
                files.write_arrays(path, {"a": np.ones(1000)}, ABOUT)
                finished = True
            except EnvironmentFailure as error:
                finished = False
                assert str(path) in str(error)
        value = read(path).arrays["a"]
        assert len(os.listdir(tmp_path)) == 1, "a temporary was left"
        if finished:
            assert failing.count < n, "a failure went unnoticed"
            assert value.sum() == 1000
            break
        # after the rename the new content is there, though its directory was not yet synced
        assert value.sum() in ((0,) if n <= 3 else (0, 1000))
    assert n >= 6  # open, write, fsync, replace, open and fsync of the directory


def test_a_short_write_is_continued(tmp_path):
    path = tmp_path / "state.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        Failing(patch, 2, errno.EIO, short=True)
        files.write_arrays(path, {"a": np.ones(1000)}, ABOUT)
    assert read(path).arrays["a"].sum() == 1000


def test_a_file_is_synced_before_it_gets_its_name(tmp_path, monkeypatch):
    calls = []
    for name in ("write", "fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, real=real: (calls.append(name), real(*a))[1])
    files.write_atomically(tmp_path / "x", b"content")
    assert calls == ["write", "fsync", "replace", "fsync"]


def test_stray_temporaries_are_removed(tmp_path):
    (tmp_path / "deep").mkdir()
    files.write_atomically(tmp_path / "deep" / "kept", b"1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", lambda a, b: (_ for _ in ()).throw(SystemExit))
        patch.setattr(files, "_discard", lambda path: None)  # killed: nobody tidies up
        with pytest.raises(SystemExit):
            files.write_atomically(tmp_path / "deep" / "lost", b"1")
    assert len(os.listdir(tmp_path / "deep")) == 2
    assert files.remove_temporaries(tmp_path) == 1
    assert os.listdir(tmp_path / "deep") == ["kept"]


def test_json_that_is_none_is_refused(tmp_path):
    path = tmp_path / "x.json"
    for content in (b"", b"{", b"[1]", b"\xff", b"[" * 100_000):
        path.write_bytes(content)
        with pytest.raises(FileError, match=r"x\.json: "):
            files.read_json(path)
