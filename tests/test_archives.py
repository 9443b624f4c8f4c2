"""An archive comes back as it was written or not at all; what was on disk survives whatever happens."""

import hashlib
import io
import json
import os
import tracemalloc
import zipfile

import numpy as np
import pytest

from nn import archives
from nn.archives import TAIL, CheckpointError

ARRAYS = {
    "parameters": np.array([0.1, -0.0, np.inf, 5e-324, np.nan]),
    "group/table": np.arange(6, dtype=np.float32).reshape(2, 3),
    "order": np.arange(3),
    "none": np.zeros((0, 4)),
    "one": np.array(2.5),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.npz"


def sealed(body):
    """Bytes with the right checksum at their end, as somebody would add it who wants to deceive."""
    return body + b"sha256:" + hashlib.sha256(body).hexdigest().encode()


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.comment = bytes(TAIL)
        for name, content in members:
            archive.writestr(name, content)
    return sealed(buffer.getvalue()[:-TAIL])


def npy(array):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=True)
    return buffer.getvalue()


def text(document):
    return archives.npy_header("|u1", (len(document),)) + document


def refusal(path, content):
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        archives.read(path)
    assert caught.value.path == path
    assert str(caught.value) == f"{path}: {caught.value.reason}"
    return caught.value.reason


def test_what_was_written_comes_back_bit_for_bit(path):
    archives.write(path, {"version": 1, "text": "é ∞"}, ARRAYS)
    header, arrays = archives.read(path)
    assert header == {"version": 1, "text": "é ∞"}
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        assert arrays[name].tobytes() == array.tobytes()
        arrays[name][...] = 0       # its own memory, to be written to


def test_numpy_reads_the_file_without_pickle(path):
    archives.write(path, {}, ARRAYS)
    with np.load(path, allow_pickle=False) as theirs:
        assert set(theirs) == {"header", *ARRAYS}
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(theirs[name], array)
            assert theirs[name].dtype == array.dtype
        assert list(json.loads(theirs["header"].tobytes())) == ["arrays"]


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS.keys())
def test_members_are_what_numpy_writes_itself(array):
    header = archives.npy_header(array.dtype.str, array.shape)
    theirs = np.lib.format.read_array(io.BytesIO(header + array.tobytes()), allow_pickle=False)
    np.testing.assert_array_equal(theirs, array)
    assert len(header) % 64 == 0


def test_equal_contents_give_equal_bytes_and_views_are_written_as_they_look():
    table = np.arange(12.0).reshape(3, 4)
    plain = archives.encode({}, {"a": np.ascontiguousarray(table.T[::2])})
    assert archives.encode({}, {"a": table.T[::2]}) == plain
    assert archives.encode({}, {"a": table.T[::2].astype(">f8")}) == plain


# What is no archive.


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\x80\x04\x95\x10", "what looks like a pickle"),
        (b"not an archive", "does not end in a checksum"),
        (npy(np.zeros(3)), "does not end in a checksum"),
        (sealed(b""), "not a zip file"),
        (sealed(b"PK\x05\x06"), ""),                          # in whichever words of zipfile's
    ],
)
def test_what_is_no_archive_is_refused(path, content, reason):
    assert reason in refusal(path, content)


def test_what_numpy_saved_is_refused(path):
    np.savez(path, **ARRAYS)
    assert "does not end in a checksum" in refusal(path, path.read_bytes())


def test_there_must_be_a_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        archives.read(tmp_path / "none.npz")
    with pytest.raises(CheckpointError, match="expected a file, got a folder"):
        archives.read(tmp_path)


def test_every_flipped_bit_every_cut_and_every_byte_more_is_refused(path):
    good = archives.encode({"version": 1}, {"a": np.array([1.0, 2.0])})
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1 << place % 8
        refusal(path, bytes(bad))
    for length in range(len(good)):
        refusal(path, good[:length])
    for more in (b"\0", b"x" * TAIL, good, b"PK\x05\x06" + bytes(18)):
        refusal(path, good + more)
        refusal(path, more + good)


# What was made to deceive: the checksum is right.

ONE = np.array([1.0])
LISTED = b'{"arrays": {"a": ["<f8", [1]]}}'


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([], "expected a member 'header.npy', got none"),
        ([("header.npy", b"")], "expected 1 to"),
        ([("header.npy", text(b"{"))], "Expecting property name"),
        ([("header.npy", text(b"[]"))], "expected an object that lists the arrays"),
        ([("header.npy", text(b'{"arrays": 3}'))], "expected an object that lists the arrays"),
        ([("header.npy", text(b"\xff"))], "can't decode byte"),
        ([("header.npy", text(b"[" * 100_000))], "recursion"),
        ([("header.npy", text(LISTED))], "expected the arrays a, got members header.npy"),
        ([("header.npy", text(LISTED)), ("b.npy", npy(ONE))], "expected the arrays a, got members"),
        ([("header.npy", text(LISTED)), ("a.npy", npy(ONE)), ("c.npy", b"")], "expected the arrays a"),
        ([("header.npy", text(LISTED)), ("a.npy", npy(np.ones(2)))], "are no array <f8 of shape [1]"),
        ([("header.npy", text(LISTED)), ("a.npy", npy(np.array([1])))], "does not begin as an array <f8"),
        ([("header.npy", text(LISTED)), ("a.npy", npy(np.ones((1, 1))))], "does not begin as an array"),
        ([("header.npy", text(LISTED)), ("a.npy", npy(np.array([{}])))], "are no array <f8"),
        ([("header.npy", text(LISTED.replace(b"<f8", b"|O8"))), ("a.npy", npy(ONE))], "a dtype and a shape"),
        ([("header.npy", text(LISTED.replace(b"[1]", b"[-1]"))), ("a.npy", npy(ONE))], "a dtype and a shape"),
        ([("header.npy", text(LISTED.replace(b"[1]", b"[true]"))), ("a.npy", npy(ONE))], "a dtype and a sh"),
        ([("header.npy", text(LISTED.replace(b"[1]", b"3"))), ("a.npy", npy(ONE))], "a dtype and a shape"),
        ([("header.npy", text(LISTED.replace(b"[1]", b"[9" + b"0" * 30 + b"]"))), ("a.npy", npy(ONE))],
         "are no array"),
    ],
)  # fmt: skip
def test_contents_that_do_not_hold_together_are_refused(path, members, reason):
    assert reason in refusal(path, zipped(members))


def test_two_members_of_one_name_are_refused(path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = zipped([("header.npy", text(LISTED)), ("a.npy", npy(ONE)), ("a.npy", npy(2 * ONE))])
    assert "two members have one name" in refusal(path, content)


def test_an_encrypted_member_is_refused(path):
    content = bytearray(zipped([("header.npy", text(LISTED)), ("a.npy", npy(ONE))])[:-TAIL])
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(signature) + flags] |= 1
    assert "password" in refusal(path, sealed(bytes(content)))


def peak_of_refusing(path, content):
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError) as caught:
            archives.read(path)
        return tracemalloc.get_traced_memory()[1], caught.value.reason
    finally:
        tracemalloc.stop()


def test_a_zip_bomb_is_refused_before_it_is_opened(path):
    zeros = np.zeros(4_000_000)                                 # 32 MB, in 31 kB
    listed = b'{"arrays": {"a": ["<f8", [4000000]]}}'
    members = [("header.npy", text(listed)), ("a.npy", npy(zeros))]
    bomb = zipped(members, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 50_000
    peak, reason = peak_of_refusing(path, bomb)
    assert "declare more bytes than the file has" in reason
    assert peak < 2_000_000                                     # a chunk of the checksum, and small things


def test_members_that_share_their_bytes_are_refused(path):
    one = zipped([("header.npy", text(LISTED)), ("a.npy", npy(np.zeros(1000)))])[:-TAIL]
    end = one.rindex(b"PK\x05\x06")
    entry = one[one.rindex(b"PK\x01\x02") : end]
    copies = b"".join(entry.replace(b"a.npy", f"{chr(98 + i)}.npy".encode()) for i in range(20))
    content = bytearray(one[:end] + copies + one[end:])
    start, count = content.rindex(b"PK\x05\x06"), (22).to_bytes(2, "little")
    size = int.from_bytes(one[end + 12 : end + 16], "little") + len(copies)
    content[start + 8 : start + 16] = count + count + size.to_bytes(4, "little")
    _, reason = peak_of_refusing(path, sealed(bytes(content)))
    assert "declare more bytes than the file has" in reason


def test_a_large_file_that_is_no_archive_is_refused_in_little_memory(path):
    with open(path, "wb") as file:
        file.truncate(100_000_000)                              # sparse: no disk is needed
        file.seek(0, os.SEEK_END)
        file.write(b"sha256:" + b"0" * 64)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match="corrupted"):
            archives.read(path)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


# Writing.


@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
def test_a_failure_to_write_leaves_what_was_there(path, monkeypatch, where):
    archives.write(path, {"version": 1}, {"a": ONE})
    before = path.read_bytes()

    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    class Full(io.FileIO):
        write = full

    if where == "write":
        monkeypatch.setattr("builtins.open", Full)
    else:
        monkeypatch.setattr(os, where, full)
    with pytest.raises(OSError, match="No space left"):
        archives.write(path, {"version": 2}, {"a": 2 * ONE})
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_the_content_is_on_disk_before_it_has_the_name(path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, real=real: calls.append(name) or real(*a))
    archives.write(path, {}, {})
    assert calls[:2] == ["fsync", "replace"]


def test_what_a_killed_process_left_beside_is_written_over(path):
    path.with_name("a.npz.part").write_bytes(b"half a")
    archives.write(path, {}, {"a": ONE})
    assert os.listdir(path.parent) == ["a.npz"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_left_alone(tmp_path):
    pipe = tmp_path / "pipe.npz"
    os.mkfifo(pipe)
    with pytest.raises(FileExistsError, match="is there and is no file"):
        archives.write(pipe, {}, {})
    assert pipe.is_fifo()


def test_a_link_is_followed(path, tmp_path):
    link = tmp_path / "latest.npz"
    link.symlink_to(path)
    archives.write(link, {}, {"a": ONE})
    assert link.is_symlink()
    assert archives.read(path).arrays["a"] == ONE


def test_a_document_too_long_to_be_read_is_not_written(path):
    with pytest.raises(ValueError, match="header: expected at most 1048576 bytes of text"):
        archives.write(path, {"text": "x" * (1 << 20)}, {})
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "told"), [("\ud800", r"\ud800"), ("a\x1b[2J", r"a\x1b[2J"), ("two\nlines", r"two\nlines")]
)
def test_an_error_can_be_printed_whatever_a_file_calls_its_arrays(name, told, path):
    path.write_bytes(headed(json.dumps({"arrays": {name: ["<f8", [2]]}}).encode()))
    with pytest.raises(CheckpointError) as caught:
        archives.read(path)
    assert f"expected the arrays {told}" in str(caught.value)
    assert str(caught.value).isprintable()
    assert str(caught.value).encode()


def headed(document):
    return zipped([("header.npy", text(document))])


def flipped(content):
    """With another letter in the header: its own sum in the archive is wrong, the file's is right."""
    body = content[:-TAIL]
    assert body.count(b'"arrays"') == 1
    return sealed(body.replace(b'"arrays"', b'"arrayz"'))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (sealed(b"no zip archive"), "it is no .npz archive that can be read (BadZipFile: "),
        (flipped(headed(b'{"arrays": {}}')), "header.npy: it cannot be read (BadZipFile: "),
        (headed(b"{"), "header: expected a document in JSON (JSONDecodeError: "),
        (headed(b"\xff"), "header: expected a document in JSON (UnicodeDecodeError: "),
        (headed(b"[" * 10**5), "header: expected a document in JSON (RecursionError: "),
        (headed(b"1" * 5000), "header: expected a document in JSON (ValueError: "),
    ],
)
def test_what_the_standard_library_finds_is_told_in_our_words(content, reason, path):
    assert refusal(path, content).startswith(reason)
