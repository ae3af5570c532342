"""``spec/exchange.md`` steps 41 to 43: one spelling for each path, and nothing else is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.courier import paths
from comity.errors import Misuse, Rejected
from comity.ledger.tiles import BundleId, TileId

DIGEST = bytes(range(32))
NAMES = st.from_regex(r"[a-z0-9]{1,8}([.-][a-z0-9]{1,8}){0,3}", fullmatch=True)
RELATIONSHIPS = st.builds("{}/{}".format, NAMES, NAMES)
ROUTES = st.one_of(
    st.builds(paths.Exchange, RELATIONSHIPS),
    st.builds(paths.Reconcile, RELATIONSHIPS),
    st.builds(paths.Upload, RELATIONSHIPS, st.binary(min_size=32, max_size=32)),
    st.builds(
        lambda relationship, digest, offset, more: paths.Piece(relationship, digest, offset + more, offset),
        RELATIONSHIPS,
        st.binary(min_size=32, max_size=32),
        st.integers(0, 2**62),
        st.integers(1, 2**32),
    ),
    st.just(paths.OwnCard()),
    st.builds(paths.Checkpoint, RELATIONSHIPS, NAMES),
    st.builds(
        paths.LedgerTile,
        RELATIONSHIPS,
        NAMES,
        st.one_of(
            st.builds(TileId, st.integers(0, 63), st.integers(0, 2**40), st.integers(1, 256)),
            st.builds(BundleId, st.integers(0, 2**40), st.integers(1, 256)),
        ),
    ),
)


@given(ROUTES)
def test_what_is_written_is_read(route: paths.Route) -> None:
    assert paths.read(paths.write(route)) == route


@given(
    st.one_of(st.text(), ROUTES.map(paths.write).flatmap(lambda path: st.sampled_from([path, path + "/", path[1:]])))
)
def test_what_is_read_is_written_again_as_it_was(path: str) -> None:
    try:
        route = paths.read(path)
    except Rejected:
        return
    assert paths.write(route) == path


def test_the_paths_of_the_specification() -> None:
    relationship = "jp-kr-2016/jp.kr"
    assert paths.write(paths.Exchange(relationship)) == "/v1/exchange/jp-kr-2016/jp.kr"
    assert paths.write(paths.Piece(relationship, DIGEST, 9, 4)) == f"/v1/blobs/jp-kr-2016/jp.kr/{DIGEST.hex()}/9/4"
    tile = paths.LedgerTile(relationship, "jp", TileId(0, 1234, 7))
    assert paths.write(tile) == "/v1/ledger/jp-kr-2016/jp.kr/jp/tile/0/x001/234.p/7"
    assert tile.chain == "jp-kr-2016/jp.kr/jp"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1/card/",
        "//v1/card",
        "/v1/../v1/card",
        "/v2/card",
        "/v1/exchange/..",
        "/v1/exchange/../../etc/passwd",
        "/v1/exchange/a/..",
        "/v1/exchange/a/%2e%2e",
        "/v1/exchange/a/b%2Fc",
        "/v1/exchange/a/B",
        "/v1/exchange/a/b\n",
        "/v1/exchange/a/b/",
        "/v1/exchange/a/日本",
        "/v1/exchange/a",
        "/v1/exchange/a/" + "b" * 201,
        "/v1/exchange/a/" + "b" * 2_000,
        f"/v1/blobs/a/b/{DIGEST.hex().upper()}",
        f"/v1/blobs/a/b/{DIGEST.hex()[:-1]}",
        f"/v1/blobs/a/b/{DIGEST.hex()}/10/10",
        f"/v1/blobs/a/b/{DIGEST.hex()}/10/+5",
        f"/v1/blobs/a/b/{DIGEST.hex()}/10/05",
        f"/v1/blobs/a/b/{DIGEST.hex()}/1_0/5",
        f"/v1/blobs/a/b/{DIGEST.hex()}/10/-1",
        "/v1/ledger/a/b/c/tile/64/000",
        "/v1/ledger/a/b/c/tile/0/000.p/256",
        "/v1/ledger/a/b/c/tile/0/../checkpoint",
        "/v1/ledger/a/b/c/tile/entries/0",
        "/v1/ledger/a/b/c/tile/data/000",
        "/v1/ledger/a/b/checkpoint",
    ],
)
def test_any_other_spelling_is_refused(path: str) -> None:
    with pytest.raises(Rejected):
        paths.read(path)


@pytest.mark.parametrize("relationship", ["a", "a/b/c", "../b", "a/B", "a/", ""])
def test_a_name_that_no_path_can_carry_is_not_written(relationship: str) -> None:
    with pytest.raises(Misuse, match="cannot be a path"):
        paths.write(paths.Exchange(relationship))
