"""The encoder's benchmark measures what it says it measures."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.encoder.competition import less_shared
from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.descriptors import DescriptorNetwork
from dieindex.encoder.module_files import save_modules
from dieindex.evaluation.ranking import average_precision, recall_at_k, roc_auc

BENCHMARKS = str(Path(__file__).parents[1] / "benchmarks")
TINY = DescriptorConfig(
    input_size=64, width=12, blocks=1, context=0, descriptor=8, dimension=16, vector_channels=8
)


def benchmark(name: str) -> ModuleType:
    """A module of the benchmarks' folder, which is no package."""
    sys.path.insert(0, BENCHMARKS)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(BENCHMARKS)


@pytest.fixture(scope="module")
def rendered() -> object:
    """Twelve obverses of one type, as they are cut."""
    collections = benchmark("encoder_collections")
    order = collections.Order(3, "obverse", 12, "easy")
    return collections.render(order, collections.DieStore(None))


def random_collection(seed: int, n: int = 40, dies: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    die = rng.integers(0, dies, n)
    similarity = rng.normal(size=(n, n)) + 2.0 * (die[:, None] == die[None])
    return (similarity + similarity.T).round(1), die


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_measures_are_those_of_the_library(seed: int) -> None:
    measures = benchmark("encoder_measures")
    similarity, die = random_collection(seed)
    found = measures.measure(similarity, die, 0).value
    first, second = np.triu_indices(len(die), 1)
    scores, same = similarity[first, second], die[first] == die[second]
    expected = [average_precision(scores, same), roc_auc(scores, same)]
    expected += [recall_at_k(similarity, die.tolist(), k) for k in measures.KS]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_resampling_a_die_twice_is_weighing_it_twice() -> None:
    measures = benchmark("encoder_measures")
    similarity, die = random_collection(5)
    replicates = measures.measure(similarity, die, 30, seed=9).replicates
    assert replicates.shape == (30, len(measures.MEASURES))
    names, where = np.unique(die, return_index=True)
    order = names[np.argsort(where)]  # in the order of their first face, as resamples count them
    draw = np.random.default_rng(9).integers(0, len(order), len(order))
    weight = {name: int((order[draw] == name).sum()) for name in order}
    first, second = np.triu_indices(len(die), 1)
    w = np.array([weight[d] for d in die])
    same = die[first] == die[second]
    pairs = np.where(same, w[first], w[first] * w[second])
    ap = average_precision(similarity[first, second], same, pairs)
    assert replicates[0, 0] == pytest.approx(ap)
    recall = recall_at_k(similarity, die.tolist(), 10, weights=w)
    assert replicates[0, 2] == pytest.approx(recall)


def test_some_different_die_pairs_stand_for_all() -> None:
    measures = benchmark("encoder_measures")
    similarity, die = random_collection(7, n=150, dies=40)
    whole = measures.measure(similarity, die, 0).value
    rng = np.random.default_rng(0)
    hidden = np.triu(rng.random(similarity.shape) < 0.5, 1) & (die[:, None] != die[None])
    part = np.where(hidden | hidden.T, np.nan, similarity)
    some = measures.measure(part, die, 0).value
    assert np.isnan(some[2:]).all()
    np.testing.assert_allclose(some[:2], whole[:2], atol=0.03)
    with pytest.raises(ValueError, match="every same-die pair"):
        measures.measure(np.full_like(similarity, np.nan), die, 0)


def test_means_and_differences_are_paired() -> None:
    measures = benchmark("encoder_measures")
    some = [random_collection(seed) for seed in (1, 2, 3)]
    one = [measures.measure(s, d, 50, seed=4) for s, d in some]
    # The same ranking a little worse: every resample agrees on which is better.
    noise = np.random.default_rng(0)
    other = []
    for s, d in some:
        worse = s + noise.normal(size=s.shape) * 1.5
        other.append(measures.measure(worse + worse.T, d, 50, seed=4))
    mean = measures.mean_of(one)["ap"]
    assert mean["mean"] == pytest.approx(np.mean([m.value[0] for m in one]))
    assert mean["dies"][0] < mean["mean"] < mean["dies"][1]
    difference = measures.difference_of(one, other)["ap"]
    assert difference["mean"] == pytest.approx(
        np.mean([a.value[0] - b.value[0] for a, b in zip(one, other, strict=True)])
    )
    single = mean["dies"][1] - mean["dies"][0]
    assert difference["dies"][1] - difference["dies"][0] < 1.5 * single
    assert measures.difference_of(one, one)["ap"] == {"mean": 0, "dies": [0, 0], "types": [0, 0]}


def test_compression_keeps_cosines_where_it_keeps_all_components() -> None:
    methods = benchmark("encoder_methods")
    rows = torch.nn.functional.normalize(
        torch.from_numpy(np.random.default_rng(1).normal(size=(30, 9)))
    )
    gram = methods.cosines(rows)
    np.testing.assert_allclose(methods.compressed(gram, 9), gram, atol=1e-9)
    by_svd = np.linalg.svd(rows.numpy(), full_matrices=False)
    kept = by_svd[0][:, :3] * by_svd[1][:3]
    kept /= np.linalg.norm(kept, axis=1, keepdims=True)
    np.testing.assert_allclose(methods.compressed(gram, 3), kept @ kept.T, atol=1e-9)


def test_the_mean_is_taken_off_as_the_index_does() -> None:
    methods = benchmark("encoder_methods")
    rng = np.random.default_rng(2)
    raw = torch.from_numpy((rng.normal(size=(20, 6)) + 2).astype(np.float32))
    group = np.array([0] * 12 + [1] * 6 + [-1] * 2)
    found = methods.less_mean(raw, group).numpy()
    unit = (raw / raw.norm(dim=1, keepdim=True)).numpy()
    for number in (0, 1):
        rows = unit[group == number]
        expected = np.stack([less_shared(each, rows, 2.0) for each in rows])
        np.testing.assert_allclose(found[group == number], expected, atol=1e-5)
    np.testing.assert_allclose(found[group < 0], unit[group < 0], atol=1e-6)
    np.testing.assert_allclose(methods.as_indexed(raw, group, 2.0).numpy(), found, atol=1e-5)
    nearer = methods.as_indexed(raw, group, 0.3).numpy()
    assert np.abs(nearer - found)[group >= 0].max() > 0.05
    assert (nearer[group < 0] == unit[group < 0]).all()
    lost = methods.last_where_lost(found @ found.T, group)
    assert lost[3, 19] == lost[19, 3] == -2.0
    assert lost[3, 5] > -1.01


def test_collections_are_those_of_the_mint(rendered: object) -> None:
    collections = benchmark("encoder_collections")
    order = collections.Order(3, "obverse", 12, "easy")
    plan = order.plan()
    faces = rendered
    assert faces.picture.shape == (12, 256, 256, 3)  # type: ignore[attr-defined]
    dies = [plan.coin(p.coin).dies["obverse"] for p in plan.photographs]
    assert faces.die.tolist() == dies  # type: ignore[attr-defined]
    again = collections.render(order, collections.DieStore(None))
    assert (again.picture == faces.picture).all()  # type: ignore[attr-defined]
    other = collections.Order(3, "obverse", 12, "easy", "validation").plan()
    assert set(other.type_seeds["obverse"]).isdisjoint(plan.type_seeds["obverse"])


def test_a_run_writes_its_figures(
    rendered: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    encoder = benchmark("encoder")
    collections = benchmark("encoder_collections")
    monkeypatch.setattr(collections, "render", lambda order, store: rendered)
    weights = tmp_path / "run" / "best.safetensors"
    weights.parent.mkdir()
    torch.manual_seed(0)
    save_modules(
        {"encoder": DescriptorNetwork(TINY)},
        weights,
        {"config": json.dumps(vars(TINY)), "provenance": "drawn by lot"},
    )
    out = tmp_path / "encoder.json"
    call = ["--weights", str(weights), "--methods", "shipped", "untrained", "--types", "1"]
    call += ["--coins", "12", "--difficulty", "easy", "--cache", str(tmp_path), "--out", str(out)]
    encoder.main(call)
    report = json.loads(out.read_text())
    (group,) = report["mint"]
    story = group["collections"][0]
    assert story["faces"] == 12
    ap = story["methods"]["encoder: vector"]["ap"]
    assert 0 < ap <= 1
    assert group["means"]["encoder: vector"]["ap"]["mean"] == pytest.approx(ap)
    assert "encoder: dense, PCA 128" in capsys.readouterr().out
    # What was computed is taken from disk: nothing is encoded a second time.
    monkeypatch.setattr(encoder.sys.modules["encoder_methods"], "network_input", None)
    encoder.main(call)
    assert json.loads(out.read_text())["mint"] == report["mint"]
