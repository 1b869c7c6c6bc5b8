"""The pretrained trunk of the descriptor network, against which the own one is measured."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.descriptors import DescriptorNetwork, load_descriptors, load_pretrained
from dieindex.encoder.module_files import save_modules
from dieindex.encoder.trunk import FULL_RANGE, LATERALS, MobilenetFeatures, mobilenet_trunk
from dieindex.encoder.weights import BASELINE_WEIGHTS
from dieindex.errors import EncoderError, TrainingError
from dieindex.training.config import TrainConfig
from dieindex.training.learner import Learner

SMALL = DescriptorConfig(input_size=64, width=12, dimension=16, trunk="mobilenet")


def stored_stages() -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    stored = load_file(BASELINE_WEIGHTS)
    return {
        name.removeprefix("trunk."): tensor.float()
        for name, tensor in stored.items()
        if name.startswith("trunk.")
    }


@pytest.fixture(scope="module")
def pretrained() -> DescriptorNetwork:
    torch.manual_seed(0)
    network = DescriptorNetwork(SMALL)
    load_pretrained(network)
    return network.eval()


def entering(count: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    faces = torch.rand(count, 2, 64, 64, generator=generator)
    faces[:, 1] = 1
    return faces


@pytest.mark.parametrize("light", [True, False])
@pytest.mark.parametrize("size", [64, 80])
def test_its_outputs_have_the_shapes_of_the_own_trunks(light: bool, size: int) -> None:
    faces = torch.rand(2, 2, size, size)
    config = replace(SMALL, input_size=size, light=light, vector_stride=4)
    found = [
        DescriptorNetwork(replace(config, trunk=trunk)).eval()(faces)
        for trunk in ("own", "mobilenet")
    ]
    own, other = ((f.descriptors.shape, f.reliability.shape, f.vectors.shape) for f in found)
    assert own == other


def test_the_stages_learned_from_photographs_arrive(pretrained: DescriptorNetwork) -> None:
    given = stored_stages()
    arrived = pretrained.mobilenet.stages.state_dict()
    own = {name for name in arrived if not name.endswith("num_batches_tracked")}
    assert own == set(given)
    for name in own - {"0.0.weight"}:
        assert torch.equal(arrived[name], given[name]), name
    first = arrived["0.0.weight"]
    assert torch.allclose(first[:, 0], FULL_RANGE * given["0.0.weight"].sum(1))
    assert (first[:, 1:] == 0).all()


def test_a_grey_face_meets_the_features_of_a_grey_photograph(
    pretrained: DescriptorNetwork,
) -> None:
    """At every stride, whatever the channels say that photographs do not have."""
    reference, _ = mobilenet_trunk(LATERALS[-1][0])
    reference.load_state_dict(stored_stages(), strict=False)
    reference.eval()
    channels = torch.rand(2, 5, 64, 64) * 2 - 1
    ours, theirs = channels, (FULL_RANGE * channels[:, :1]).expand(-1, 3, -1, -1)
    start = 0
    with torch.inference_mode():
        for number, (end, width) in enumerate(LATERALS):
            ours = pretrained.mobilenet.stages[start:end](ours)
            theirs = reference[start:end](theirs)
            assert ours.shape == (2, width, *(64 // 4 // 2**number,) * 2)
            assert torch.allclose(ours, theirs, atol=1e-3 * float(theirs.abs().max()))
            start = end


def test_every_stride_reaches_the_features() -> None:
    torch.manual_seed(0)
    features = MobilenetFeatures(5, 12).train()  # batch statistics: each stride counts alike
    channels = torch.rand(1, 5, 64, 64)
    with torch.inference_mode():
        whole = features(channels)
        assert whole.shape == (1, 12, 16, 16)
        assert (whole >= 0).all()
        for lateral in features.laterals:
            kept = lateral[1].weight.clone()  # type: ignore[index,union-attr]
            lateral[1].weight.zero_()  # type: ignore[index,union-attr]
            assert (features(channels) - whole).abs().max() > 0.1
            lateral[1].weight.copy_(kept)  # type: ignore[index,union-attr]


def test_all_of_it_learns_and_so_do_the_channels_that_began_at_nothing() -> None:
    torch.manual_seed(0)
    network = DescriptorNetwork(SMALL).train()
    load_pretrained(network)
    described = network(entering(4))
    (described.raw.square().sum() + described.reliability.sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name
    first = network.mobilenet.stages[0][0].weight.grad  # type: ignore[index,union-attr]
    assert (first.abs().amax((0, 2, 3)) > 0)[:4].all()


def test_it_is_saved_and_loaded_as_any_other(pretrained: DescriptorNetwork, tmp_path: Path) -> None:
    import json

    path = tmp_path / "weights.safetensors"
    save_modules({"encoder": pretrained}, path, {"config": json.dumps(asdict(SMALL))})
    loaded = load_descriptors(path)
    assert loaded.config == SMALL
    with torch.inference_mode():
        apart = loaded(entering()).vectors - pretrained(entering()).vectors
    assert apart.abs().max() < 0.02  # half precision on disk


def test_its_name_survives_a_file_of_settings() -> None:
    assert DescriptorConfig.from_dict(asdict(SMALL)) == SMALL
    assert TrainConfig.from_json(TrainConfig(network=SMALL).to_json()).network == SMALL
    # A file that was written before there was a choice.
    older = {name: value for name, value in asdict(SMALL).items() if name != "trunk"}
    assert DescriptorConfig.from_dict(older).trunk == "own"


def test_an_unknown_trunk_is_refused() -> None:
    with pytest.raises(EncoderError, match=r"trunk 'resnet'.*own or mobilenet"):
        DescriptorNetwork(replace(SMALL, trunk="resnet"))


def test_pretrained_weights_are_refused_where_they_do_not_belong(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="'own' has no pretrained"):
        load_pretrained(DescriptorNetwork(replace(SMALL, trunk="own")))
    network = DescriptorNetwork(SMALL)
    damaged, other = tmp_path / "damaged.safetensors", tmp_path / "other.safetensors"
    damaged.write_bytes(BASELINE_WEIGHTS.read_bytes()[:1000])
    save_modules({"encoder": network}, other, {})
    for path in (damaged, other, tmp_path / "missing.safetensors"):
        with pytest.raises(EncoderError, match=f"{path.name}: no pretrained"):
            load_pretrained(network, path)


def test_a_run_begins_with_the_pretrained_trunk_or_refuses() -> None:
    config = TrainConfig(network=DescriptorConfig(input_size=64, trunk="mobilenet"))
    plain, begun = (Learner(replace(config, pretrained=each)) for each in (False, True))
    assert not torch.equal(_deepest(plain.network), _deepest(begun.network))
    assert torch.equal(_deepest(begun.network), _deepest(begun.averaged[0]))
    with pytest.raises(TrainingError, match="mobilenet"):
        TrainConfig(pretrained=True).check()


def _deepest(network: DescriptorNetwork) -> torch.Tensor:
    """The largest kernel that the trunk brings along."""
    return max((p for p in network.parameters() if p.ndim == 4), key=lambda p: p.numel())


def test_a_map_of_places_is_learned_and_kept(tmp_path: Path) -> None:
    """What it holds for a coarse cell changes that cell, and is written with the rest."""
    config = TrainConfig(network=replace(SMALL, places=True, dimension=0), minutes=1)
    learner = Learner(config)
    groups = learner.optimiser.param_groups
    assert [len(group["params"]) for group in groups][2:] == [1]
    places = learner.network.mobilenet.places
    assert places is not None
    assert places.shape == (12, 4, 4)
    faces = entering()
    network = learner.averaged[0].eval()
    with torch.inference_mode():
        before = network(faces).descriptors
        network.mobilenet.places[:, 1, 2] = 3  # type: ignore[index]
        moved = (network(faces).descriptors - before).norm(dim=1).amax(0)
    assert moved[4:8, 8:12].min() > 0.05
    assert moved[:, :4].max() == 0
    learner.save_weights(tmp_path / "kept.safetensors")
    kept = load_descriptors(tmp_path / "kept.safetensors")
    with torch.inference_mode():
        found = kept(faces).descriptors
    assert (found - network(faces).descriptors).abs().max() < 0.02


def test_only_this_trunk_learns_places() -> None:
    with pytest.raises(EncoderError, match="places"):
        DescriptorNetwork(replace(SMALL, trunk="own", places=True))
