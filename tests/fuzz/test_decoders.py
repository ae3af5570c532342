"""Every decoder on examples and on what is like them: a value in one spelling, or one of our refusals, in time."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.errors import ComityError, InternalError
from fuzz.corpora import corpora
from fuzz.decoders import DECODERS, Decoder
from fuzz.mutations import altered

EXAMPLES = 150
REFUSAL_CHARACTERS_MAX = 2000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    return corpora(tmp_path_factory.mktemp("corpora"))


def test_every_decoder_has_examples_and_nothing_else_has(corpus: dict[str, list[bytes]]) -> None:
    assert set(corpus) == set(DECODERS)
    assert [name for name, examples in corpus.items() if not examples] == []


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_every_example_is_taken(name: str, corpus: dict[str, list[bytes]]) -> None:
    for example in corpus[name]:
        assert read(DECODERS[name], example)


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_what_is_altered_is_read_or_refused(name: str, corpus: dict[str, list[bytes]]) -> None:
    taken = [0, 0]

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.data())
    def search(data: st.DataObject) -> None:
        taken[read(DECODERS[name], data.draw(altered(corpus[name])))] += 1

    search()
    assert taken[False], "nothing was refused: the alterations do not reach the decoder"


def read(decoder: Decoder, data: bytes) -> bool:
    """Whether ``data`` is taken; what is neither a value nor a refusal is raised.

    It is also what ``python -m tests.fuzz`` calls, with what the fuzzer made.
    """
    start = time.process_time()
    try:
        value, refusal = decoder.read(data), None
    except InternalError:
        raise
    except ComityError as error:
        value, refusal = None, error
    assert time.process_time() - start < decoder.seconds_max
    if refusal is not None:
        assert 0 < len(str(refusal)) < REFUSAL_CHARACTERS_MAX, "a refusal quotes no more than a person reads"
        return False
    assert decoder.write is None or decoder.write(value) == data, "two spellings of one value"
    return True
