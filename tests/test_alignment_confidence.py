"""Doubtful faces judged by an encoder: what is like the faces of its type lies right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from dieindex.alignment.align import align_faces, align_to
from dieindex.alignment.confidence import ALIGNED_FROM, encoded_confidence, similarity_to
from dieindex.alignment.exemplars import FEWEST_TO_JUDGE
from dieindex.alignment.result import NO_TYPE, Vectorise
from dieindex.records import Face, Vectors
from tests.coins_for_alignment import coin, design, place

STRAY = 21


def unit(vectors: np.ndarray) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def of_a_type(rng: np.random.Generator, count: int, centre: np.ndarray) -> np.ndarray:
    return centre + 0.7 * rng.normal(size=(count, len(centre)))


def strikes(rng: np.random.Generator, dies: np.ndarray, each: int = 3) -> np.ndarray:
    struck = np.repeat(dies, each, axis=0)
    return struck + 0.2 * rng.normal(size=struck.shape)


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_faces_of_the_type_are_as_like_as_usual_and_others_less(scale: float) -> None:
    """Whatever part of their vectors the faces of a type share: encoders differ in that."""
    rng = np.random.default_rng(0)
    centre, other = scale * rng.normal(size=(2, 64))
    own = unit(strikes(rng, of_a_type(rng, 14, centre)))
    of_it = similarity_to(own, unit(of_a_type(rng, 20, centre)))
    strays = similarity_to(own, unit(of_a_type(rng, 20, other)))
    assert of_it is not None
    assert strays is not None
    assert of_it.min() > 0
    assert strays.max() < -1


def test_strikes_of_a_die_that_is_there_stand_out() -> None:
    rng = np.random.default_rng(0)
    centre = rng.normal(size=64)
    dies = of_a_type(rng, 14, centre)
    own = unit(strikes(rng, dies))
    of_it = similarity_to(own, unit(strikes(rng, dies, 1)))
    others = similarity_to(own, unit(of_a_type(rng, 14, centre)))
    assert of_it is not None
    assert others is not None
    assert of_it.min() > 1.5 * others.max()


def test_one_face_that_is_like_by_chance_does_not_speak_for_the_type() -> None:
    rng = np.random.default_rng(1)
    centre, other = rng.normal(size=(2, 64))
    own = strikes(rng, of_a_type(rng, 14, centre))
    own[7] = of_a_type(rng, 1, other)[0]
    found = similarity_to(unit(own), unit(own[7:8] + 0.3 * rng.normal(size=64)))
    assert found is not None
    assert found[0] < 1


def test_faces_of_one_die_do_not_say_what_another_is_like() -> None:
    rng = np.random.default_rng(2)
    one, other = of_a_type(rng, 2, rng.normal(size=64))
    own = unit(strikes(rng, one[None], 20))
    assert similarity_to(own, unit(strikes(rng, other[None], 4))) is None


def test_faces_that_are_all_alike_say_nothing() -> None:
    own = unit(np.ones((20, 64)))
    assert similarity_to(own, own[:3]) is None


def test_support_grows_with_what_the_first_look_and_the_encoder_say() -> None:
    assert encoded_confidence(0.3, 1.0) > 0.9
    assert encoded_confidence(0.001, -0.5) < 0.05
    assert encoded_confidence(0.0, -0.2) < ALIGNED_FROM < encoded_confidence(0.0, 1.5)
    assert (
        encoded_confidence(0.01, 0.5) < encoded_confidence(0.4, 0.5) < encoded_confidence(0.4, 1.0)
    )


@pytest.fixture(scope="module")
def collection() -> list[Face]:
    """Coins of one type, and last a stray."""
    rng = np.random.default_rng(2)
    relief = design(3)
    faces = [
        coin(relief, place(rng.uniform(-20, 20)), rng.uniform(0, 360), k)
        for k in range(FEWEST_TO_JUDGE + 1)
    ]
    return [*faces, coin(design(STRAY), place(), 90, 99)]


def saying(stray: Face, alike: bool, asked: list[int]) -> Vectorise:
    """An encoder for which a stray is of the first of the others' dies, or like none of them."""

    def vectorise(faces: Sequence[Face], places: Sequence[np.ndarray]) -> Vectors:
        assert len(faces) == len(places)
        asked.append(len(faces))
        rng = np.random.default_rng(3)
        centre = rng.normal(size=32)
        dies = of_a_type(rng, 1 + len(faces) // 3, centre)
        vectors = strikes(rng, dies)[: len(faces)]
        for row, face in enumerate(faces):
            if face is stray:
                vectors[row] = dies[0] if alike else -centre
        return unit(vectors)

    return vectorise


def test_an_encoder_has_the_last_word_on_doubtful_faces_alone(collection: list[Face]) -> None:
    stray, asked = collection[-1], list[int]()
    alone = align_faces(collection)
    against = align_faces(collection, vectorise=saying(stray, False, asked))
    speaking = align_faces(collection, vectorise=saying(stray, True, asked))
    assert len(asked) == 2
    assert against.faces[-1].type == NO_TYPE
    assert not against.faces[-1].aligned
    assert speaking.faces[-1].aligned
    assert speaking.faces[-1].confidence > 0.9
    for found in (against, speaking):
        for one, other in zip(alone.faces[:-1], found.faces[:-1], strict=True):
            np.testing.assert_array_equal(one.to_frame, other.to_frame)
        assert found.frames[0].to_bytes() == alone.frames[0].to_bytes(), "frames hold sure faces"

    again = align_to(alone.frames, collection, vectorise=saying(stray, True, asked))
    assert len(asked) == 3
    assert again[-1].aligned
    few = align_to(alone.frames, collection[-3:], vectorise=saying(stray, True, asked))
    assert len(asked) == 3, "two faces say nothing of what is usual"
    assert not few[-1].aligned
