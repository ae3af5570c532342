"""The contract of ``ports.Blobs``, the same for every adapter (``spec/store.md`` 30 to 38)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from comity.errors import Misuse, Rejected, Unavailable
from comity.ports import Blobs
from comity.stores.blobs import FolderBlobs
from comity.stores.memory import MemoryBlobs
from comity.stores.memory_disk import MemoryDisk


def named(*contents: bytes) -> dict[bytes, bytes]:
    return {hashlib.sha256(content).digest(): content for content in contents}


WHOLE = bytes(range(256)) * 40
((NAME, _),) = named(WHOLE).items()


@pytest.fixture(params=["memory", "folder"])
async def blobs(request, tmp_path) -> AsyncIterator[Blobs]:
    if request.param == "memory":
        yield MemoryBlobs(MemoryDisk())
    else:
        opened = await FolderBlobs.in_folder(tmp_path)
        yield opened
        await opened.close()


async def content(blobs: Blobs, digest: bytes) -> bytes:
    async with blobs.open(digest) as file:
        return file.read()


async def test_what_was_put_is_there(blobs):
    many = named(*(b"blob %d" % number * 50 for number in range(100)), b"")
    await blobs.put_many(many)
    assert sorted(await blobs.all()) == sorted(many)
    for digest, whole in many.items():
        assert await content(blobs, digest) == whole
        assert await blobs.size(digest) == len(whole)
        assert await blobs.received(digest) == len(whole)


async def test_putting_a_blob_again_is_no_error(blobs):
    await blobs.put_many({NAME: WHOLE})
    await asyncio.gather(*(blobs.put_many({NAME: WHOLE}) for _ in range(5)))
    assert await blobs.all() == [NAME]


async def test_putting_nothing_is_no_error(blobs):
    await blobs.put_many({})
    assert await blobs.all() == []


async def test_a_blob_that_is_not_what_its_digest_says_is_not_kept(blobs):  # (34)
    good = named(b"good")
    with pytest.raises(Rejected) as caught:
        await blobs.put_many({**good, NAME: WHOLE[:-1]})
    assert (caught.value.code, caught.value.place) == ("blob-digest", NAME.hex())
    assert await blobs.size(NAME) is None
    assert set(await blobs.all()) <= set(good)


async def test_a_blob_that_is_not_there(blobs):
    assert await blobs.size(NAME) is None
    assert await blobs.received(NAME) == 0
    await blobs.delete(NAME)
    with pytest.raises(Unavailable) as caught:
        await content(blobs, NAME)
    assert caught.value.code == "no-blob"


async def test_a_deleted_blob_is_gone_and_may_come_again(blobs):
    await blobs.put_many({NAME: WHOLE})
    await blobs.delete(NAME)
    assert await blobs.all() == []
    assert await blobs.received(NAME) == 0
    await blobs.put_many({NAME: WHOLE})
    assert await content(blobs, NAME) == WHOLE


@pytest.mark.parametrize("cuts", [(), (1,), (1, 2, 3), (999, 1998), (len(WHOLE) - 1,), (0, 0, 5000)])
async def test_an_upload_in_pieces_becomes_the_blob_with_its_last_byte(blobs, cuts):  # (35, 37)
    for start, stop in pairwise((0, *cuts, len(WHOLE))):
        assert await blobs.size(NAME) is None
        assert await blobs.all() == []
        assert await blobs.received(NAME) == start
        assert await blobs.append(NAME, start, WHOLE[start:stop], len(WHOLE)) == stop
    assert await content(blobs, NAME) == WHOLE
    assert await blobs.received(NAME) == len(WHOLE)
    assert await blobs.all() == [NAME]


async def test_an_empty_blob_is_complete_with_its_empty_piece(blobs):
    empty = hashlib.sha256(b"").digest()
    assert await blobs.append(empty, 0, b"", 0) == 0
    assert await blobs.size(empty) == 0


@pytest.mark.parametrize("offset", [0, 99, 101, 5000])
async def test_a_piece_from_elsewhere_is_rejected_and_the_upload_stands(blobs, offset):  # (36)
    await blobs.append(NAME, 0, WHOLE[:100], len(WHOLE))
    with pytest.raises(Rejected, match="stands at byte 100") as caught:
        await blobs.append(NAME, offset, WHOLE[offset : offset + 10], len(WHOLE))
    assert caught.value.code == "upload-offset"
    assert await blobs.received(NAME) == 100
    await blobs.append(NAME, 100, WHOLE[100:], len(WHOLE))
    assert await content(blobs, NAME) == WHOLE


async def test_a_piece_that_runs_over_is_rejected(blobs):  # (36)
    with pytest.raises(Rejected) as caught:
        await blobs.append(NAME, 0, WHOLE + b"x", len(WHOLE))
    assert caught.value.code == "upload-too-long"
    assert await blobs.received(NAME) == 0


async def test_an_upload_that_is_not_what_its_digest_says_is_thrown_away(blobs):  # (37)
    await blobs.append(NAME, 0, WHOLE[:100], len(WHOLE))
    with pytest.raises(Rejected) as caught:
        await blobs.append(NAME, 100, WHOLE[101:] + b"x", len(WHOLE))
    assert caught.value.code == "blob-digest"
    assert await blobs.received(NAME) == 0
    assert await blobs.size(NAME) is None
    assert await blobs.append(NAME, 0, WHOLE, len(WHOLE)) == len(WHOLE)


async def test_a_repeated_piece_races_and_one_wins(blobs):  # (36)
    outcomes = await asyncio.gather(
        *(blobs.append(NAME, 0, WHOLE[:500], len(WHOLE)) for _ in range(6)), return_exceptions=True
    )
    assert outcomes.count(500) == 1
    assert {type(outcome) for outcome in outcomes} == {int, Rejected}
    assert await blobs.received(NAME) == 500


async def test_a_complete_blob_takes_no_more_pieces(blobs):
    await blobs.put_many({NAME: WHOLE})
    assert await blobs.append(NAME, len(WHOLE), b"", len(WHOLE)) == len(WHOLE)
    with pytest.raises(Rejected, match="stands at byte 10240"):
        await blobs.append(NAME, 0, WHOLE[:10], len(WHOLE))
    assert await content(blobs, NAME) == WHOLE


async def test_an_upload_given_up_is_forgotten(blobs):
    await blobs.append(NAME, 0, WHOLE[:100], len(WHOLE))
    await blobs.delete(NAME)
    assert await blobs.received(NAME) == 0


async def test_a_file_of_our_own_is_adopted(blobs, tmp_path):
    source = tmp_path / "sealed"
    source.write_bytes(WHOLE)
    await blobs.adopt(NAME, str(source))
    assert not source.exists()
    assert await content(blobs, NAME) == WHOLE


async def test_an_open_blob_outlives_its_deletion(blobs):
    await blobs.put_many({NAME: WHOLE})
    async with blobs.open(NAME) as file:
        await blobs.delete(NAME)
        assert file.read() == WHOLE


@pytest.mark.parametrize("digest", [b"", b"../../etc/passwd", bytes(33)])
async def test_a_digest_has_32_bytes(blobs, digest):
    with pytest.raises(Misuse):
        await blobs.put_many({digest: b""})
    for ask in (blobs.received, blobs.size, blobs.delete):
        with pytest.raises(Misuse):
            await ask(digest)


async def test_what_is_not_whole_is_listed_apart(blobs):
    assert await blobs.unfinished() == []
    await blobs.append(NAME, 0, WHOLE[:1], len(WHOLE))
    assert await blobs.unfinished() == [NAME]
    assert await blobs.all() == []
    await blobs.append(NAME, 1, WHOLE[1:], len(WHOLE))
    assert await blobs.unfinished() == []
    await blobs.delete(NAME)
    await blobs.append(NAME, 0, WHOLE[:1], len(WHOLE))
    await blobs.delete(NAME)
    assert await blobs.unfinished() == []
