"""The network for aligned faces and the comparator behind it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from dieindex.encoder.channels import CHANNELS, light_channels
from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.descriptors import DescriptorNetwork, centred, load_descriptors
from dieindex.encoder.module_files import load_module, save_modules
from dieindex.errors import EncoderError
from dieindex.verification.comparator import (
    REACH,
    SHIFTS,
    Comparator,
    cost_volume,
    displacements,
    less_affine,
)

SMALL = DescriptorConfig(input_size=64, width=12, blocks=1, context=1, dimension=16)


def faces(count: int, size: int = 64, seed: int = 0) -> torch.Tensor:
    """Smooth random reliefs on a round flan."""
    generator = torch.Generator().manual_seed(seed)
    grey = F.interpolate(torch.rand(count, 1, size // 4, size // 4, generator=generator), size)
    steps = torch.linspace(-1.1, 1.1, size)
    mask = (steps[:, None] ** 2 + steps[None] ** 2 < 1).float().expand(count, 1, size, size)
    return torch.cat([F.avg_pool2d(grey, 3, 1, 1), mask], 1)


@pytest.fixture(scope="module")
def network() -> DescriptorNetwork:
    torch.manual_seed(0)
    made = DescriptorNetwork(SMALL).train()
    with torch.no_grad():
        for seed in range(3):  # batch statistics that are not those of the start
            made(faces(8, seed=seed))
    return made.eval()


def test_descriptors_are_unit_and_reliability_ends_at_the_flan(network: DescriptorNetwork) -> None:
    entering = faces(3)
    with torch.inference_mode():
        described = network(entering)
    assert described.descriptors.shape == (3, SMALL.descriptor, SMALL.grid, SMALL.grid)
    assert described.vectors.shape == (3, SMALL.dimension)
    lengths = described.descriptors.norm(dim=1)
    assert torch.allclose(lengths, torch.ones_like(lengths), atol=1e-5)
    assert torch.allclose(described.vectors.norm(dim=1), torch.ones(3), atol=1e-5)
    off = F.max_pool2d(entering[:, 1:], 4) == 0
    assert off.any()
    assert (described.reliability[off] == 0).all()
    assert (described.reliability <= 1).all()
    assert described.reliability[0, 0, 8, 8] > 0


@pytest.mark.parametrize("threads", [1, 2])
def test_a_face_is_described_alike_alone_and_among_others(
    network: DescriptorNetwork, threads: int
) -> None:
    entering = faces(4)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            together = network(entering)
            alone = [network(face[None]) for face in entering]
    finally:
        torch.set_num_threads(before)
    for name in ("descriptors", "reliability", "vectors"):
        one_by_one = torch.cat([getattr(a, name) for a in alone])
        assert (getattr(together, name) - one_by_one).abs().max() < 1e-4


def test_channels_but_grey_outlive_inverted_and_scaled_light() -> None:
    entering = faces(2)
    grey, mask = entering[:, :1], entering[:, 1:]
    plain = light_channels(grey, mask)
    inverted = light_channels(0.9 - 0.5 * grey, mask)
    assert plain.shape[1] == CHANNELS
    assert torch.allclose(plain[:, 1:], inverted[:, 1:], atol=0.02)
    assert torch.allclose(plain[:, 0], -inverted[:, 0], atol=0.02)
    assert plain[:, 0].abs().max() <= 1
    # It is not that there was nothing to see.
    assert plain[:, 1:4].std() > 0.1


def test_a_blank_face_gives_finite_numbers(network: DescriptorNetwork) -> None:
    with torch.inference_mode():
        described = network(torch.zeros(1, 2, 64, 64))
    assert torch.isfinite(described.vectors).all()
    assert (described.reliability == 0).all()


def test_centred_takes_off_what_a_group_shares() -> None:
    shared = F.normalize(torch.tensor([5.0, 0.0, 0.0]), dim=0)
    own = torch.tensor([[0.0, 0.2, 0.0], [0.0, -0.2, 0.0], [0.0, 0.0, 0.2], [0.0, 0.0, -0.2]])
    vectors = torch.cat([shared + own, torch.tensor([[0.0, 0.6, 0.8]])])
    out = centred(vectors, torch.tensor([0, 0, 0, 0, 1]))
    assert torch.allclose(out[:4], own / 0.2, atol=1e-5)
    assert torch.allclose(out[4], vectors[4], atol=1e-6)  # alone: left as it is


def test_weights_come_back_in_half_precision(network: DescriptorNetwork, tmp_path: Path) -> None:
    import json
    from dataclasses import asdict

    path = tmp_path / "weights.safetensors"
    comparator = Comparator()
    modules = {"encoder": network, "comparator": comparator}
    save_modules(modules, path, {"config": json.dumps(asdict(SMALL))})
    loaded = load_descriptors(path)
    assert loaded.config == SMALL
    assert not loaded.training
    with torch.inference_mode():
        apart = loaded(faces(2)).vectors - network(faces(2)).vectors
    assert 0 < apart.abs().max() < 1e-2
    fresh = Comparator()
    load_module(fresh, "comparator", path)
    assert torch.allclose(fresh.costs.weight, comparator.costs.weight, atol=1e-3)
    with pytest.raises(EncoderError, match="do not fit"):
        load_module(DescriptorNetwork(), "encoder", path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(EncoderError, match="not weights"):
        load_descriptors(path)


def test_the_kept_weights_describe_a_face_alike_in_any_batch() -> None:
    from dieindex.encoder.weights import SHIPPED_WEIGHTS

    path = SHIPPED_WEIGHTS.with_name("descriptors.safetensors")
    assert path.stat().st_size < 15e6
    trained = load_descriptors(path)
    load_module(Comparator(), "comparator", path)
    entering = faces(3, trained.config.input_size, seed=7)
    with torch.inference_mode():
        together, alone = trained(entering), trained(entering[1:2])
    assert (together.vectors[1:2] - alone.vectors).abs().max() < 1e-4
    assert (together.descriptors[1:2] - alone.descriptors).abs().max() < 1e-4
    assert (together.vectors[0] - together.vectors[1]).norm() > 0.05


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_a_vector_of_places_keeps_the_layout(stride: int) -> None:
    config = replace(SMALL, dimension=0, vector_channels=3, vector_stride=stride)
    network = DescriptorNetwork(config).eval()
    with torch.inference_mode():
        described = network(torch.rand(2, 2, 64, 64))
    assert described.vectors.shape == (2, config.length) == (2, 3 * (16 // stride) ** 2)


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(EncoderError, match="multiple of 16"):
        DescriptorNetwork(DescriptorConfig(input_size=100))


# ------------------------------------------------------------------------------------- comparator


def test_cost_volume_is_what_shift_by_shift_gives() -> None:
    generator = torch.Generator().manual_seed(1)
    first, second = torch.randn(2, 3, 5, 9, 11, generator=generator)
    costs = cost_volume(first, second)
    assert costs.shape == (3, SHIFTS, 9, 11)
    for number, (dx, dy) in enumerate(displacements().int().tolist()):
        moved = F.pad(second, (REACH,) * 4)[
            :, :, REACH + dy : REACH + dy + 9, REACH + dx : REACH + dx + 11
        ]
        assert torch.allclose(costs[:, number], (first * moved).sum(1), atol=1e-5)


def test_cost_volume_has_the_right_gradient() -> None:
    generator = torch.Generator().manual_seed(2)
    first = torch.randn(1, 2, 4, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    second = torch.randn(1, 2, 4, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cost_volume, (first, second))


def test_an_affine_displacement_leaves_nothing_and_a_local_one_stays() -> None:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-1, 1, 16), indexing="ij")
    affine = torch.stack([0.5 + x - 0.3 * y, -1 + 0.2 * x + 0.4 * y])[None]
    weight = torch.ones(1, 1, 16, 16)
    assert less_affine(affine, weight).abs().max() < 0.01
    local = affine.clone()
    local[0, 0, 4:6, 4:6] += 2
    assert less_affine(local, weight)[0, 0, 4:6, 4:6].min() > 1.5
    # Where nothing is weighed, nothing is fitted, and nothing breaks.
    assert torch.allclose(less_affine(local, 0 * weight), local)


def test_a_pair_judged_both_ways_has_no_first_face(network: DescriptorNetwork) -> None:
    torch.manual_seed(3)
    comparator = Comparator().eval()
    with torch.inference_mode():
        d = network(faces(4, seed=5))
        pair = (d.descriptors[:2], d.descriptors[2:], d.reliability[:2], d.reliability[2:])
        swapped = (pair[1], pair[0], pair[3], pair[2])
        assert torch.allclose(
            comparator.both_ways(*pair), comparator.both_ways(*swapped), atol=1e-5
        )
        alone = torch.cat([comparator(*(p[i : i + 1] for p in pair)).logit for i in range(2)])
        assert torch.allclose(comparator(*pair).logit, alone, atol=1e-4)


def test_a_face_shifted_by_a_cell_is_found_displaced_by_it(network: DescriptorNetwork) -> None:
    comparator = Comparator().eval()
    with torch.no_grad():
        comparator.sharpness.fill_(4.0)
        d = network(faces(1, seed=6))
        moved = torch.roll(d.descriptors, 1, 3)
        costs = comparator(d.descriptors, moved, d.reliability, d.reliability).costs
    inner = costs[0, :, 5:11, 5:11].argmax(0).flatten()
    found = displacements()[inner]
    assert (found == torch.tensor([1.0, 0.0])).all(1).float().mean() > 0.9
