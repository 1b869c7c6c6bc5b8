"""Weights are looked through wholly before anything is forgotten: what is damaged is refused."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dieindex.api.verification import check_weights
from dieindex.encoder.weights import SHIPPED_WEIGHTS, read_card
from dieindex.errors import EncoderError
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.folder import WEIGHTS_NAME
from tests.commands_for_tests import Command

GOOD = "coin,side,die,certainty\nold,obverse,O1,1\n"
Header = dict[str, Any]


def parts_of(content: bytes) -> tuple[Header, bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(header: Header | bytes, tensors: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + tensors


def with_header(change: Callable[[Header, list[str]], None]) -> bytes:
    """The shipped weights with another header; the change is given the tensors' names too."""
    header, tensors = parts_of(SHIPPED_WEIGHTS.read_bytes())
    change(header, [name for name in header if name != "__metadata__"])
    return joined(header, tensors)


def with_number(value: float, prefix: str) -> bytes:
    """The shipped weights, the first number of a part another."""
    header, tensors = parts_of(SHIPPED_WEIGHTS.read_bytes())
    name = next(name for name in header if name.startswith(prefix))
    at = header[name]["data_offsets"][0]
    return joined(header, tensors[:at] + struct.pack("<e", value) + tensors[at + 2 :])


def swapped(header: Header, names: list[str]) -> None:
    a, b = (header[name] for name in names[:2])
    a["data_offsets"], b["data_offsets"] = b["data_offsets"], a["data_offsets"]


def reversed_offsets(header: Header, names: list[str]) -> None:
    header[names[0]]["data_offsets"].reverse()


def overlapping(header: Header, names: list[str]) -> None:
    header[names[1]]["data_offsets"] = header[names[0]]["data_offsets"]


def other_shape(header: Header, names: list[str]) -> None:
    name = next(name for name in names if len(header[name]["shape"]) == 4)
    header[name]["shape"] = header[name]["shape"][::-1]


def other_type(header: Header, names: list[str]) -> None:
    header[names[0]]["dtype"] = "I16"


def renamed(header: Header, names: list[str]) -> None:
    header["encoder.none"] = header.pop(next(n for n in names if n.startswith("encoder.")))


def other_metadata(name: str, text: str) -> Callable[[Header, list[str]], None]:
    def change(header: Header, _: list[str]) -> None:
        header["__metadata__"][name] = text

    return change


def config_with(**values: object) -> Callable[[Header, list[str]], None]:
    def change(header: Header, _: list[str]) -> None:
        config = json.loads(header["__metadata__"]["config"])
        header["__metadata__"]["config"] = json.dumps({**config, **values})

    return change


def calibration_with(text: str) -> Callable[[Header, list[str]], None]:
    def change(header: Header, _: list[str]) -> None:
        kept = header["__metadata__"]["calibration"]
        header["__metadata__"]["calibration"] = kept.replace(
            '"threshold": ', f'"threshold": {text}', 1
        )

    return change


DAMAGED: dict[str, Callable[[], bytes]] = {
    "truncated": lambda: SHIPPED_WEIGHTS.read_bytes()[:1_800_000],
    "longer": lambda: SHIPPED_WEIGHTS.read_bytes() + b" ",
    "empty": lambda: b"",
    "not a number": lambda: with_number(float("nan"), "encoder."),
    "infinite": lambda: with_number(float("inf"), "comparator."),
    "swapped": lambda: with_header(swapped),
    "reversed offsets": lambda: with_header(reversed_offsets),
    "overlapping": lambda: with_header(overlapping),
    "shape": lambda: with_header(other_shape),
    "type": lambda: with_header(other_type),
    "renamed": lambda: with_header(renamed),
    "deep": lambda: joined(b"[" * 100_000 + b"]" * 100_000, b""),
    "deep config": lambda: with_header(other_metadata("config", '{"a":' * 90_000)),
    "metadata of another kind": lambda: joined({"__metadata__": [1]}, b""),
    "a name that clears the screen": lambda: with_header(other_metadata("version", "\x1b[2J")),
    "wide": lambda: with_header(config_with(width=10**9)),
    "as wide as may be": lambda: with_header(config_with(width=4096, context=400, trunk="own")),
    "negative": lambda: with_header(config_with(vector_channels=-1)),
    "another trunk": lambda: with_header(config_with(trunk="x" * 10_000)),
    "calibration not a number": lambda: with_header(calibration_with('NaN, "x": ')),
    "calibration too large": lambda: with_header(calibration_with('1e999, "x": ')),
    "calibration beyond": lambda: with_header(calibration_with("9")),
    "no calibration": lambda: with_header(other_metadata("calibration", "{}")),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_weights_are_refused_in_words(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(DAMAGED[kind]())
    with pytest.raises(EncoderError) as caught:
        check_weights(read_card(path), "cpu")
    message = str(caught.value)
    assert len(message) - len(str(path)) < 300
    assert message.isprintable()


def test_the_shipped_weights_are_whole() -> None:
    check_weights(read_card(), "cpu")


@pytest.mark.parametrize("kind", ["truncated", "not a number", "shape", "calibration beyond"])
def test_nothing_is_forgotten_for_weights_that_cannot_be_used(
    data: Path, tmp_path: Path, command: Command, kind: str
) -> None:
    folder = data.parent / "indexes" / "data"
    out = tmp_path / "dies.csv"
    assert command("cluster", "--side", "both", "--index", folder, "--out", out)[0] == 0
    good = out.read_text()
    with Catalogue.open(folder) as catalogue:
        before = catalogue.meta("generation")
    (folder / WEIGHTS_NAME).write_bytes(DAMAGED[kind]())
    for options in ((), ("--reencode",)):
        code, _, err = command("build", data, "--index", folder, *options)
        assert code == 1
        assert f"{folder / WEIGHTS_NAME}: damaged: " in err
        assert "Nothing was forgotten" in err
        assert "Delete it and build again with --reencode" in err.replace("delete", "Delete")
    with Catalogue.open(folder) as catalogue:
        assert catalogue.meta("generation") == before
        assert len(catalogue.face_rows("obverse")) == 8
    command("cluster", "--side", "both", "--index", folder, "--out", out)
    assert len(out.read_text().splitlines()) == len(good.splitlines())
    (folder / WEIGHTS_NAME).unlink()
    code, _, err = command("build", data, "--index", folder)
    assert code == 0, err
    assert command("cluster", "--side", "both", "--index", folder, "--out", out)[0] == 0
    assert out.read_text() == good


def test_a_device_that_is_not_there_forgets_nothing(data: Path, command: Command) -> None:
    folder = data.parent / "indexes" / "data"
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        catalogue.set_meta("encoder", "another")
        before = catalogue.meta("generation")
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    code, _, err = command("build", data, "--index", folder, "--reencode", "--device", "cuda")
    assert code == 1
    assert "this machine has none" in err
    with Catalogue.open(folder) as catalogue:
        assert catalogue.meta("generation") == before
