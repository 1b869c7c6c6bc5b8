"""What time does to a struck face: circulation, scratches, corrosion, deposits, toning, damage.

Works on height maps in flan radii and makes the layers light needs: colour, shine and gloss.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dieindex.mint.casting import cast_copies
from dieindex.mint.damage import cut_map, gouge_map, punch_map
from dieindex.mint.flan import Grid
from dieindex.mint.noise import TILE, tile_on
from dieindex.mint.parameters import StrikeParameters
from dieindex.mint.relief import FULL_DEPTH
from dieindex.mint.surface import blur, column, ramp, soft_min


@dataclass(frozen=True, eq=False)
class Layers:
    """How the surface answers light, maps of ``(B, c, size, size)``."""

    albedo: Tensor
    """(B, 3, …) linear RGB reflectance."""
    shine: Tensor
    """Share of specular reflection, 0…1."""
    gloss: Tensor
    """0 matt … 1 mirror."""
    bare: Tensor
    """Metal laid bare by wear, 0…1."""
    deposit: Tensor
    corroded: Tensor

    @staticmethod
    def joined(parts: list[Layers]) -> Layers:
        return Layers(*(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Layers)))

    def split(self) -> list[Layers]:
        columns = [getattr(self, f.name).split(1) for f in fields(Layers)]
        return [Layers(*row) for row in zip(*columns, strict=True)]


@dataclass(frozen=True, eq=False)
class StruckFace:
    """A face as the blow left it."""

    height: Tensor
    mask: Tensor
    struck: Tensor
    edge: Tensor
    die_x: Tensor
    die_y: Tensor


def aged(
    face: StruckFace, grid: Grid, strikes: list[StrikeParameters]
) -> tuple[Tensor, Tensor, Layers]:
    """(height, visible 0…1, layers) after everything that happened to the coin."""
    device = face.height.device
    unit = grid.unit
    wear_amount = column([s.wear for s in strikes], device)
    fresh = face.height
    height = _flow_lines(fresh, face, grid, strikes)
    base = blur(height, 0.26 * unit)
    shallow = column([s.die_depth / FULL_DEPTH for s in strikes], device)
    if any(s.die_depth < FULL_DEPTH for s in strikes):
        base = torch.where(shallow < 1, _level(height, face.edge, strikes, unit), base)
    height, bare = _circulated(height, base, wear_amount, unit, shallow)
    detail_before = blur((fresh - blur(fresh, 0.03 * unit)).abs(), 0.03 * unit)
    detail_after = blur((height - blur(height, 0.03 * unit)).abs(), 0.03 * unit)
    worn_flat = ramp(detail_before, 0.0008, 0.003) * ramp(
        detail_after / (detail_before + 1e-4), 0.38, 0.18
    )
    height = _scratched(height, bare, grid, strikes)
    height, corroded, pits = _corroded(height, grid, strikes, unit)
    height = _tooled(height, grid, strikes, unit)
    height, filed = cast_copies(height, face.edge, grid, strikes)
    height, hit = _hit(height, grid, strikes)
    height, deposit = _covered(height, grid, strikes, unit)
    visible = (1 - worn_flat) * (1 - hit) * (1 - filed) * ramp(deposit, 0.9, 0.5)
    visible = visible * ramp(corroded, 0.85, 0.55)
    layers = _toned(height, bare, corroded, pits, deposit, face, grid, strikes, unit)
    return height, visible, layers


def _flow_lines(
    height: Tensor, face: StruckFace, grid: Grid, strikes: list[StrikeParameters]
) -> Tensor:
    """Fine streaks toward the edge where metal was driven outward, stronger in an old die."""
    device = height.device
    turns = column([float(rng.random()) for rng in grid.rngs("streaks")], device)
    u = torch.remainder(grid.angle + turns, 1.0) * 2 - 1
    v = grid.radius * 0.16 - 0.5 + turns
    tile = tile_on("grain", device)[..., :TILE, :TILE].expand(len(strikes), -1, -1, -1)
    place = torch.cat([u, torch.remainder(v + 1, 2) - 1], 1).permute(0, 2, 3, 1)
    streaks = F.grid_sample(tile, place, align_corners=False)
    amount = column([0.0001 + 0.0006 * s.die_life**2 for s in strikes], device)
    return height + streaks * amount * ramp(grid.radius, 0.25, 0.95)


def _level(height: Tensor, edge: Tensor, strikes: list[StrikeParameters], unit: float) -> Tensor:
    """The level of the face about a place, its fallen edge left out.

    On a shallow face that fall is more than the relief: all that lies beside it would look proud.
    """
    inside = ramp(edge / column([s.coin.edge_width for s in strikes], edge.device), 0.3, 1.0) + 0.01
    return blur(height * inside, 0.26 * unit) / blur(inside, 0.26 * unit)


def _circulated(
    height: Tensor, base: Tensor, wear: Tensor, unit: float, shallow: Tensor
) -> tuple[Tensor, Tensor]:
    """High points rubbed down first: (height, bare metal 0…1).

    ``base`` is the level about a place, ``shallow`` the depth of the die against the usual: of low
    relief the same wear takes more.
    """
    proud = height - base
    level = 0.105 * (1 - wear) ** 1.7 + 0.002
    rubbed = soft_min(proud / shallow, level, 0.016) * shallow
    removed = proud - rubbed
    # What is rubbed down stays gently rounded, for it was rubbed by soft things.
    rubbed = rubbed + 0.4 * blur(removed, 0.05 * unit)
    softened = blur(rubbed, 0.011 * unit)
    share = (wear * (0.25 + ramp(removed, 0.001, 0.02))).clamp(0, 0.95)
    height = base + torch.lerp(rubbed, softened, share)
    convex = blur(height, 0.008 * unit) - blur(height, 0.075 * unit)
    rise = convex + 0.5 * (height - base)
    bare = ramp(rise, 0.003 - 0.007 * wear, 0.025 - 0.014 * wear)
    return height, torch.maximum(bare, ramp(removed, 0.004, 0.02) * 0.9)


def _scratched(height: Tensor, bare: Tensor, grid: Grid, strikes: list[StrikeParameters]) -> Tensor:
    device = height.device
    amount = column([s.scratches for s in strikes], device)
    lines = grid.texture("scratches")
    height = height - lines * amount * (0.0022 + 0.0022 * bare)
    if any(len(s.gouges) for s in strikes):
        deep = np.stack([gouge_map(s.gouges, s.extent, grid.size) for s in strikes])
        height = height - torch.from_numpy(deep[:, None]).to(device)
    return height


def _corroded(
    height: Tensor, grid: Grid, strikes: list[StrikeParameters], unit: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Pores and pits where the metal was eaten: (height, severity 0…1, pits 0…1)."""
    device = height.device
    amount = column([max(s.corrosion, s.coin.cast * 0.4) for s in strikes], device)
    cloud = grid.texture("cloud", 0, 1.4)
    grain = grid.texture("grain")
    pits = grid.texture("pits", 0, 1.1)
    craters = grid.texture("craters")
    region = ramp(cloud + 3.2 * amount, 1.0, 2.4) * (amount > 0)
    severity = region * amount
    height = torch.lerp(height, blur(height, 0.014 * unit), (severity * 1.1).clamp(0, 0.9))
    sparse = column([s.coin.pitting for s in strikes], device)
    scattered = ramp(pits + 0.25 * (cloud - 1.2), 0.75 - 0.5 * sparse, 1.0) * sparse
    hollow = torch.maximum(pits * region * (0.15 + amount), scattered)
    eaten = craters * region
    height = height - 0.007 * hollow - 0.026 * severity * eaten
    grit = grid.texture("grit", 0, 1.3)
    rough = column([s.coin.roughness for s in strikes], device)
    height = height + grain * (0.00008 + 0.0005 * rough * rough + 0.004 * severity)
    height = height + grit * (0.00006 + 0.0004 * rough * rough)
    return height, severity, (hollow + eaten * amount).clamp(0, 1)


def _tooled(height: Tensor, grid: Grid, strikes: list[StrikeParameters], unit: float) -> Tensor:
    """Fields smoothed or lines recut by a later hand."""
    if not any(s.tooling > 0 for s in strikes):
        return height
    device = height.device
    amount = column([s.tooling for s in strikes], device)
    patch = grid.smooth("tooling", 5)
    where = ramp(patch + 1.2 * amount, 0.8, 1.4)
    smooth = torch.lerp(height, blur(height, 0.02 * unit), where * amount)
    # Some smoothed the fields, others cut the worn lines anew.
    recut = height + 1.2 * where * amount * (height - blur(height, 0.018 * unit))
    graver = column([float(s.seed % 2) for s in strikes], device) > 0
    return torch.where(amount > 0, torch.where(graver, recut, smooth), height)


def _hit(height: Tensor, grid: Grid, strikes: list[StrikeParameters]) -> tuple[Tensor, Tensor]:
    """Test cuts and punches: (height, where the design is destroyed 0…1)."""
    if not any(len(s.cuts) or len(s.punches) for s in strikes):
        return height, torch.zeros_like(height)
    depths = [
        cut_map(s.cuts, s.extent, grid.size) + punch_map(s.punches, s.extent, grid.size)
        for s in strikes
    ]
    depth = torch.from_numpy(np.stack(depths)[:, None]).to(height.device)
    return height - depth, ramp(depth, 0.005, 0.02)


def _covered(
    height: Tensor, grid: Grid, strikes: list[StrikeParameters], unit: float
) -> tuple[Tensor, Tensor]:
    """Earth and crusts that fill the recesses and stand in patches: (height, cover 0…1)."""
    device = height.device
    amount = column([s.deposits for s in strikes], device)
    cloud = grid.texture("cloud", 1, 1.4)
    grain = grid.texture("grain", 1)
    recess = blur(height, 0.045 * unit) - height
    seat = cloud * 0.55 + 40 * recess.clamp(-0.03, 0.03) + 0.45 * grain
    cover = ramp(seat, 2.4 - 2.2 * amount, 3.1 - 2.0 * amount) * ramp(amount, 0.0, 0.05)
    top = blur(height, 0.03 * unit) + 0.003 * grain + 0.002
    return torch.lerp(height, torch.maximum(height, top), cover), cover


def _toned(
    height: Tensor,
    bare: Tensor,
    corroded: Tensor,
    pits: Tensor,
    deposit: Tensor,
    face: StruckFace,
    grid: Grid,
    strikes: list[StrikeParameters],
    unit: float,
) -> Layers:
    """Colours and shine: drifting patina, dirt in the recesses, bare metal on the tops."""
    device = height.device
    looks = [s.coin.looks for s in strikes]

    def colour(name: str) -> Tensor:
        rows = np.array([getattr(look, name) for look in looks], np.float32)
        return torch.from_numpy(rows).to(device).view(-1, 3, 1, 1)

    def number(name: str) -> Tensor:
        return column([getattr(look, name) for look in looks], device)

    cloud = grid.texture("cloud", 6, 1.4)
    hill = grid.texture("hill", 5)
    grain = grid.texture("grain", 2)
    toning = column([s.coin.toning for s in strikes], device)
    contrast = number("contrast")

    tone = torch.lerp(colour("tone"), colour("other"), ramp(cloud + 0.35 * hill, -1.2, 1.4))
    stain = column([s.coin.staining * s.coin.looks.stains for s in strikes], device)
    blotch = grid.texture("mottle")
    spots = ramp(blotch + 0.7 * cloud, 0.5, 2.2) * stain
    stripped = colour("bare") * 0.8
    cover = number("cover")
    tone = torch.lerp(stripped, tone, cover + (1 - cover) * toning)
    patch = ramp(grid.smooth("stains", 6), -0.8, 1.3)
    rough = column([s.coin.roughness for s in strikes], device)
    stained = 0.5 * stain * (0.5 + 0.7 * patch) * blotch
    mottle = torch.exp(stained + (0.065 + 0.09 * rough) * grain + 0.08 * hill) + 0.07 * cloud
    # What is too fine to be relief: the metal's own grain, which glints where it is lit.
    fine = grid.texture("grit", 1, 1.3)
    mottle = mottle * torch.exp((0.04 + 0.05 * rough) * fine)
    narrow = blur(height, 0.016 * unit) - height
    wide = blur(height, 0.07 * unit) - height
    dirt = ramp(80 * narrow + 17 * wide + 0.2 * cloud + 0.1 * grain, 0.15, 1.0)
    soil = column([s.coin.soil for s in strikes], device)
    dirt = dirt * soil * contrast * (0.25 + 0.6 * toning)
    dirt = torch.maximum(dirt, torch.maximum(pits * 0.75, spots * 0.7))
    polish = (bare * (0.8 + 0.12 * hill) * (0.6 + 0.4 * contrast)).clamp(0, 1)
    hue = grid.texture("cloud", 0, 2.0) + 0.5 * hill
    hue = hue.clamp(min=-0.7)  # silver tones brown and gold more readily than blue
    drift = colour("drift")
    tone = tone * (1 + 1.9 * drift * hue * (0.3 + toning)).clamp(min=0.2)
    albedo = torch.lerp(tone, colour("bare"), polish)
    brown = torch.tensor([1.0, -0.05, -0.8], device=device).view(1, 3, 1, 1)
    earthiness = column([s.coin.earthiness for s in strikes], device)
    recess = colour("recess") * (1 + 0.8 * earthiness * brown)
    albedo = torch.lerp(albedo, recess, dirt.clamp(0, 0.95))
    albedo = torch.lerp(albedo, colour("tone") * 0.8, (0.5 * corroded).clamp(0, 1))
    earth = colour("deposit") * (0.85 + 0.2 * hill + 0.15 * grain).clamp(0.4, 1.6)
    cover = deposit * 0.9
    albedo = torch.lerp(albedo * mottle.clamp(0.3, 2.0), earth, cover)
    # Specks: the dark mouths of pores, or the pale fill that burial left in them.
    specks = grid.texture("pits", 0, 0.75)
    density = column([s.coin.pitting for s in strikes], device)
    specks = ramp(specks + 0.12 * cloud, 0.85 - 0.6 * density, 1.0) * (0.3 + 0.6 * density)
    pale = column([float(s.coin.seed % 10 < 3) for s in strikes], device)
    speck_colour = torch.lerp(colour("recess"), colour("deposit") * 0.8, pale)
    albedo = torch.lerp(albedo, speck_colour, specks * (1 - 0.6 * polish))
    shift = np.array([s.coin.patina_shift for s in strikes], np.float32)
    tint = 1 + torch.from_numpy(shift).to(device).view(-1, 3, 1, 1) * 0.05
    albedo = (albedo * tint).clamp(0.004, 0.98)

    matt = (1 - 0.9 * cover) * (1 - 0.75 * corroded) * (1 - 0.7 * dirt)
    shine = torch.lerp(number("shine_tone"), number("shine_bare"), polish) * matt
    glint = torch.exp(0.12 * grid.texture("grit", 2, 1.3))
    shine = (shine * (0.5 + 0.5 * mottle) * glint).clamp(0, 1)
    lustre = column([s.coin.lustre for s in strikes], device)
    gloss = (
        (number("gloss") + lustre).clamp(0.05, 0.95)
        * (0.75 + 0.35 * polish)
        * (1 - 0.5 * corroded)
        * (1 - 0.6 * cover)
    )
    return Layers(albedo, shine, gloss, bare, deposit, corroded)
