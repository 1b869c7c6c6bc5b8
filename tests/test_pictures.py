"""Decoding of photographs: formats, turns, bounds, damage."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from dieindex.collection import pixels
from dieindex.collection.decoding_memory import Bound, bytes_to_decode, in_several_scans
from dieindex.collection.photographs import cut_file
from dieindex.collection.pictures import Decoded, picture_size, read_picture
from dieindex.errors import PictureError
from dieindex.files import content_hash
from dieindex.records import Circle, Override

SAMPLE = Path(__file__).parents[1] / "data" / "images" / "001.jpg"


def scene(width: int = 96, height: int = 64) -> np.ndarray:
    """A smooth coloured picture with a bright disc left of the middle: no two turns look alike."""
    y, x = np.mgrid[:height, :width]
    disc = (x - width / 3) ** 2 + (y - height / 3) ** 2 < (min(width, height) / 5) ** 2
    red = 60 + 120 * x / width
    green = 40 + 100 * y / height
    picture = np.stack([red, green, np.full_like(red, 50.0)], axis=-1)
    picture[disc] = (220, 200, 180)
    return picture.astype(np.uint8)


def large_scene(width: int, height: int) -> Image.Image:
    return Image.fromarray(scene(width // 10, height // 10)).resize((width, height))


def tiff(values: np.ndarray, photometric: int, planar: int) -> bytes:
    """An uncompressed little-endian TIFF of ``(height, width, samples)`` whole numbers."""
    height, width, samples = values.shape
    bits = 8 * values.dtype.itemsize
    planes = [values[..., n] for n in range(samples)] if planar == 2 else [values]
    data = [np.ascontiguousarray(plane).tobytes() for plane in planes]
    extra = [(338, 3, [2])] if samples == 4 else []
    starts = [8 + sum(map(len, data[:n])) for n in range(len(data))]
    tags = [
        (256, 3, [width]), (257, 3, [height]), (258, 3, [bits] * samples), (259, 3, [1]),
        (262, 3, [photometric]), (273, 4, starts), (277, 3, [samples]), (278, 3, [height]),
        (279, 4, [len(part) for part in data]), (284, 3, [planar]), *extra,
    ]  # fmt: skip
    at = 8 + sum(map(len, data))
    entries, beyond = b"", b""
    after = at + 2 + 12 * len(tags) + 4
    for tag, kind, numbers in tags:
        packed = struct.pack(f"<{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        if len(packed) > 4:
            packed, beyond = struct.pack("<I", after + len(beyond)), beyond + packed
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", at) + b"".join(data) + directory + beyond


def close(a: np.ndarray, b: np.ndarray, most: float = 6.0) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(float) - b.astype(float)).mean()) < most


def save(path: Path, picture: np.ndarray | Image.Image, **options: object) -> Path:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.jpg", {"quality": 95}),
        ("progressive.jpeg", {"quality": 95, "progressive": True}),
        ("a.png", {}),
        ("a.tif", {}),
        ("packed.tiff", {"compression": "tiff_lzw"}),
        ("a.webp", {"quality": 95}),
        ("a.bmp", {}),
    ],
)
def test_reads_every_format(tmp_path: Path, name: str, options: dict[str, object]) -> None:
    decoded = read_picture(save(tmp_path / name, scene(), **options))
    assert isinstance(decoded, Decoded)
    assert decoded.picture.dtype == np.uint8
    assert decoded.scale == 1.0
    assert decoded.picture.shape[:2] == (64, 96)
    assert close(decoded.picture, scene())


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    save(tmp_path / "a.png", scene())
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert close(read_picture(tmp_path / "a.jpg").picture, scene())


def test_cmyk_jpeg(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", Image.fromarray(scene()).convert("CMYK"), quality=95)
    assert b"Adobe" in path.read_bytes()[:64]
    assert close(read_picture(path).picture, scene())


def test_cmyk_jpeg_without_adobes_mark_is_not_inverted(tmp_path: Path) -> None:
    ink = Image.fromarray(255 - np.asarray(Image.fromarray(scene()).convert("CMYK")), mode="CMYK")
    stream = io.BytesIO()
    ink.save(stream, "JPEG", quality=95)  # written inverted, so these bytes hold plain ink
    raw = stream.getvalue()
    start = raw.index(b"\xff\xee")
    length = struct.unpack(">H", raw[start + 2 : start + 4])[0]
    path = tmp_path / "plain.jpg"
    path.write_bytes(raw[:start] + raw[start + 2 + length :])
    assert b"Adobe" not in path.read_bytes()[:64]
    assert close(read_picture(path).picture, scene())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
def test_exif_turns(tmp_path: Path, name: str, orientation: int) -> None:
    # What must be stored so that a viewer obeying the tag shows the scene (EXIF 2.3, 4.6.4).
    up = scene()
    stored = {
        1: up,
        2: up[:, ::-1],
        3: up[::-1, ::-1],
        4: up[::-1],
        5: up.transpose(1, 0, 2),
        6: np.rot90(up, 1),
        7: up[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(up, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored))
    decoded = read_picture(save(tmp_path / name, image, exif=exif))
    assert decoded.picture.shape[:2] == (64, 96)
    assert close(decoded.picture, up, 8.0)


def test_a_large_turned_jpeg_scales_in_the_upright_file(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(
        tmp_path / "a.jpg", large_scene(4200, 2800).transpose(Image.Transpose.ROTATE_90), exif=exif
    )
    decoded = read_picture(path)
    assert decoded.picture.shape[:2] == (1333, 2000) or decoded.picture.shape[:2] == (1334, 2000)
    assert decoded.scale == pytest.approx(2.1, rel=1e-3)
    assert close(decoded.picture, scene(2000, decoded.picture.shape[0]))


@pytest.mark.filterwarnings("ignore")
def test_damaged_exif_does_not_matter(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", scene(), exif=b"Exif\0\0II*\0\xff\xff\xff\xff rubbish")
    assert close(read_picture(path).picture, scene())


class TestGreyAndDepth:
    grey = np.asarray(Image.fromarray(scene()).convert("L"))

    def rgb(self) -> np.ndarray:
        return np.repeat(self.grey[..., None], 3, axis=2)

    @pytest.mark.parametrize("name", ["a.png", "a.tif"])
    @pytest.mark.parametrize("bits", [16, 12])
    def test_deep_grey(self, tmp_path: Path, name: str, bits: int) -> None:
        grey = self.grey.copy()
        grey[0, 0] = 255  # so that the highest bit is in use
        deep = grey.astype(np.uint16) << (bits - 8)
        decoded = read_picture(save(tmp_path / name, Image.fromarray(deep)))
        assert Image.open(tmp_path / name).mode.startswith("I;16")
        assert np.array_equal(decoded.picture[..., 0], grey)

    def test_deep_colour_png(self, tmp_path: Path) -> None:
        values = scene().astype(">u2") * 257
        raw = b"".join(b"\0" + row.tobytes() for row in values)
        path = tmp_path / "a.png"
        path.write_bytes(png(96, 64, raw, depth=16, colour=2))
        assert close(read_picture(path).picture, scene(), 1.0)

    def test_real_numbers_tiff(self, tmp_path: Path) -> None:
        values = self.grey.astype(np.float32) / 255
        values[0, 0], values[0, 1] = 1.0, np.nan
        picture = read_picture(save(tmp_path / "a.tif", Image.fromarray(values))).picture
        assert close(picture[1:], self.rgb()[1:], 2.0)

    def test_grey_jpeg(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.jpg", Image.fromarray(self.grey), quality=95)
        assert close(read_picture(path).picture, self.rgb())

    def test_one_bit(self, tmp_path: Path) -> None:
        image = Image.fromarray(self.grey).convert("1")
        picture = read_picture(save(tmp_path / "a.png", image)).picture
        assert set(np.unique(picture)) == {0, 255}

    def test_palette(self, tmp_path: Path) -> None:
        image = Image.fromarray(scene()).quantize(64)
        assert close(read_picture(save(tmp_path / "a.png", image)).picture, scene(), 12.0)

    def test_first_page_of_a_tiff(self, tmp_path: Path) -> None:
        other = Image.fromarray(255 - scene())
        path = tmp_path / "a.tif"
        Image.fromarray(scene()).save(path, save_all=True, append_images=[other])
        decoded = read_picture(path)
        assert close(decoded.picture, scene())
        assert decoded.pages == 2

    def test_a_preview_before_the_scan_is_not_taken_for_it(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tif"
        preview = Image.fromarray(255 - scene()).resize((40, 36))
        preview.save(path, save_all=True, append_images=[Image.fromarray(scene())])
        decoded = read_picture(path)
        assert close(decoded.picture, scene())
        assert decoded.pages == 1

    @pytest.mark.parametrize("samples", [3, 4])
    def test_tiff_with_its_colours_one_after_the_other(self, tmp_path: Path, samples: int) -> None:
        deep = scene().astype("<u2") * 257
        deep = np.dstack([deep, np.full((64, 96), 65_535, "<u2")])[..., :samples]
        path = tmp_path / "a.tif"
        path.write_bytes(tiff(deep, photometric=2, planar=2))
        assert np.array_equal(read_picture(path).picture, scene())

    def test_tiff_that_counts_from_white(self, tmp_path: Path) -> None:
        grey = self.grey.copy()
        grey[0, 0] = 255  # so that the highest bit is in use
        path = tmp_path / "a.tif"
        path.write_bytes(
            tiff(65_535 - grey.astype("<u2")[..., None] * 257, photometric=0, planar=1)
        )
        assert np.array_equal(read_picture(path).picture[..., 0], grey)

    def test_a_tiff_that_would_be_read_wrongly_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tif"
        path.write_bytes(tiff(self.grey.astype("<u4")[..., None] << 24, photometric=1, planar=1))
        with pytest.raises(PictureError, match="not read for sure; save it anew as PNG"):
            read_picture(path)


class TestTransparency:
    def cut_out(self, metal: int) -> np.ndarray:
        rgba = np.zeros((64, 64, 4), np.uint8)
        y, x = np.mgrid[:64, :64]
        rgba[(x - 32) ** 2 + (y - 32) ** 2 < 400] = (metal, metal, metal, 255)
        return rgba

    @pytest.mark.parametrize(("metal", "ground"), [(90, 255), (210, 0)])
    def test_the_coin_stands_out_from_its_ground(
        self, tmp_path: Path, metal: int, ground: int
    ) -> None:
        picture = read_picture(save(tmp_path / "a.png", self.cut_out(metal))).picture
        assert picture[0, 0].tolist() == [ground] * 3
        assert picture[32, 32].tolist() == [metal] * 3

    def test_grey_with_alpha(self, tmp_path: Path) -> None:
        image = Image.fromarray(self.cut_out(90)).convert("LA")
        picture = read_picture(save(tmp_path / "a.png", image)).picture
        assert (picture[0, 0, 0], picture[32, 32, 0]) == (255, 90)

    def test_transparent_colour_of_a_palette(self, tmp_path: Path) -> None:
        image = Image.fromarray(self.cut_out(90)[..., :3]).quantize(8)
        hole = image.getpixel((0, 0))
        picture = read_picture(save(tmp_path / "a.png", image, transparency=hole)).picture
        assert (picture[0, 0, 0], picture[32, 32, 0]) == (255, 90)

    def test_an_alpha_of_zeros_is_a_mistake(self, tmp_path: Path) -> None:
        rgba = np.dstack([scene(), np.zeros((64, 96), np.uint8)])
        assert close(read_picture(save(tmp_path / "a.png", rgba)).picture, scene())


class TestSize:
    def test_large_jpegs_are_decoded_reduced(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.jpg", large_scene(5000, 3000), quality=80)
        decoded = read_picture(path)
        assert max(decoded.picture.shape) == 2000
        assert decoded.scale == pytest.approx(2.5)
        assert close(decoded.picture, scene(2000, 1200))

    def test_positions_scale_back(self, tmp_path: Path) -> None:
        decoded = read_picture(save(tmp_path / "a.png", large_scene(3000, 2000)), max_edge=300)
        bright = np.argwhere(decoded.picture[..., 2] > 115)
        y, x = bright.mean(axis=0)
        full = decoded.to_full(Circle(float(x), float(y), 40.0))
        # The disc of the small scene, enlarged ten times about the corner of the first pixel.
        assert (full.x, full.y) == pytest.approx((1004.5, 671.2), abs=3)
        assert full.radius == pytest.approx(400)
        back = decoded.from_full(full)
        assert (back.x, back.y, back.radius) == pytest.approx((x, y, 40.0))

    def test_refused_by_the_header_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "huge.png"
        path.write_bytes(png(30_000, 30_000, b"", depth=8, colour=2))  # no pixel follows
        before = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow's own warning must not appear either
            with pytest.raises(PictureError, match=r"huge\.png.*30000 × 30000.*smaller"):
                read_picture(path)
        assert time.process_time() - before < 0.5

    def test_a_huge_jpeg_header_is_refused(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.jpg", scene())
        raw = bytearray(path.read_bytes())
        start = raw.index(b"\xff\xc0")
        raw[start + 5 : start + 9] = struct.pack(">HH", 30_000, 30_000)
        path.write_bytes(raw)
        with pytest.raises(PictureError, match="30000 × 30000"):
            read_picture(path)

    def test_the_limit_can_be_set(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.png", scene())
        with pytest.raises(PictureError, match="pixels"):
            read_picture(path, max_pixels=6_000)
        assert read_picture(path, max_pixels=96 * 64).picture.shape[:2] == (64, 96)

    @pytest.mark.parametrize("shape", [(10, 10), (500, 31), (4000, 40)])
    def test_too_small_or_too_narrow(self, tmp_path: Path, shape: tuple[int, int]) -> None:
        with pytest.raises(PictureError, match=r"a\.png.*(at least 32|strip)"):
            read_picture(save(tmp_path / "a.png", scene(*shape)))

    def test_size_from_the_header(self, tmp_path: Path) -> None:
        assert picture_size(save(tmp_path / "a.jpg", scene())) == (96, 64)

    def test_fast_enough(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        noise = rng.integers(-12, 12, (800, 800, 3))
        path = save(tmp_path / "a.jpg", (scene(800, 800) + noise).clip(0, 255).astype(np.uint8))
        read_picture(path)
        times = []
        for _ in range(7):
            start = time.process_time()
            read_picture(path)
            times.append(time.process_time() - start)
        assert min(times) < 0.03  # 3 ms on a free core


class TestMemory:
    @pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures as Linux does")
    def test_decoding_takes_no_more_than_it_asks_for(self, tmp_path: Path) -> None:
        """A picture of sixteen bits and an alpha, in a process of its own, measured."""
        edge = 3_000
        row = b"\0" + bytes(8 * edge)
        path = tmp_path / "a.png"
        path.write_bytes(png(edge, edge, row * edge, depth=16, colour=6))
        code = (
            "import re, sys; from dieindex.collection import pictures, pixels\n"
            "status = lambda: open('/proc/self/status').read()\n"
            "rss = lambda: int(re.search(r'VmHWM:\\s*([0-9]+)', status())[1])\n"
            "asked, count = [], pictures.bytes_to_decode\n"
            "pictures.bytes_to_decode = lambda *a: asked.append(count(*a)) or asked[-1]\n"
            "before = rss(); pictures.read_picture(sys.argv[1], max_edge=500)\n"
            "print(rss() - before, asked[0] // 1024)"
        )
        out = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
        ).stdout
        taken, asked = map(int, out.split())
        assert 4 * edge * edge / 1024 < taken < asked < 3 * 4 * edge * edge / 1024

    def test_what_would_take_too_much_is_refused_by_its_header(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(png(13_000, 13_000, b"", depth=8, colour=6))
        with pytest.raises(PictureError, match=r"would take 0\.\d GB of memory.*smaller"):
            read_picture(path)

    def test_a_progressive_jpeg_holds_all_its_coefficients(self, tmp_path: Path) -> None:
        taken = []
        for options in ({"progressive": True}, {}):
            path = save(tmp_path / "a.jpg", scene(1_200, 800), **options)
            with path.open("rb") as stream:
                image = JpegImageFile(stream)
                several = in_several_scans(image, stream)
                image.draft(None, (300, 200))
                taken.append(bytes_to_decode(image, (1_200, 800), several, 300))
        assert taken[0] - taken[1] == 2 * 1_200 * 800 * 3 // 2  # colour at a quarter

    def test_threads_never_take_more_than_the_bound_together(self) -> None:
        bound = Bound(100)
        held, most = [0], [0]
        lock = threading.Lock()

        def work(amount: int) -> None:
            with bound.taking(amount):
                with lock:
                    held[0] += amount
                    most[0] = max(most[0], held[0])
                time.sleep(0.002)
                with lock:
                    held[0] -= amount

        amounts = [60, 30, 50, 100, 10, 70, 40, 90, 20, 5] * 4
        threads = [threading.Thread(target=work, args=(amount,)) for amount in amounts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert held == [0]
        assert 60 <= most[0] <= 100

    def test_too_little_memory_is_said_as_such(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise MemoryError

        monkeypatch.setattr(pixels, "brought_to", fail)
        with pytest.raises(PictureError, match=r"a\.png: there is not enough memory left"):
            read_picture(save(tmp_path / "a.png", scene()))


class TestDamage:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(PictureError, match="no such file"):
            read_picture(tmp_path / "a.jpg")

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(PictureError, match="is a folder"):
            read_picture(tmp_path)

    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "a.jpg").touch()
        with pytest.raises(PictureError, match=r"a\.jpg: is empty"):
            read_picture(tmp_path / "a.jpg")

    def test_text(self, tmp_path: Path) -> None:
        (tmp_path / "a.jpg").write_text("404 not found")
        with pytest.raises(PictureError, match=r"a\.jpg: is not a picture"):
            read_picture(tmp_path / "a.jpg")

    @pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.bmp"])
    @pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
    def test_truncated(self, tmp_path: Path, name: str, share: float) -> None:
        rng = np.random.default_rng(1)
        path = save(tmp_path / name, rng.integers(0, 255, (200, 200, 3), dtype=np.uint8))
        raw = path.read_bytes()
        path.write_bytes(raw[: int(len(raw) * share)])
        with pytest.raises(PictureError, match=name):
            read_picture(path)
        assert ImageFile.LOAD_TRUNCATED_IMAGES is False

    @pytest.mark.filterwarnings("ignore")
    def test_garbled_files_raise_nothing_else(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(2)
        messages = []
        for name in ("a.jpg", "a.png", "a.tif", "a.webp", "a.bmp"):
            raw = save(tmp_path / name, scene()).read_bytes()
            for _ in range(40):
                bad = bytearray(raw)
                for place in rng.integers(0, len(bad), 12):
                    bad[place] = rng.integers(256)
                (tmp_path / name).write_bytes(bad)
                try:
                    read_picture(tmp_path / name)
                except PictureError as error:
                    messages.append(str(error))
        assert len(messages) > 40
        assert all("a." in message and "\n" not in message for message in messages)

    def test_settings_of_pillow_stay(self, tmp_path: Path) -> None:
        limit = Image.MAX_IMAGE_PIXELS
        read_picture(save(tmp_path / "a.jpg", scene()))
        assert limit == Image.MAX_IMAGE_PIXELS


class TestHeic:
    def heic(self, path: Path) -> Path:
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(Image.fromarray(scene())).save(path, quality=95)
        return path

    def test_read_where_the_reader_is_installed(self, tmp_path: Path) -> None:
        assert close(read_picture(self.heic(tmp_path / "a.heic")).picture, scene(), 10.0)

    def test_says_what_to_install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
        monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
        with pytest.raises(PictureError, match="pip install pillow-heif"):
            read_picture(tmp_path / "a.heic")


def test_several_threads(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{n}.jpg", scene(300 + n, 200)) for n in range(8)]
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            if read_picture(paths[number]).picture.shape[:2] != (200, 300 + number):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_content_hash(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert content_hash(tmp_path / "a").startswith("ba7816bf8f01cfea")  # FIPS 180-2, B.1


def png(width: int, height: int, raw: bytes, depth: int, colour: int) -> bytes:
    """A PNG made by hand (Pillow writes no colour of 16 bits)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(raw))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_with_a_stretch_missing_shows_no_sure_face(
    tmp_path: Path, progressive: bool
) -> None:
    path = tmp_path / "1.jpg"
    with Image.open(SAMPLE) as image:
        image.save(path, quality=90, progressive=progressive)
    assert read_picture(path).damage is None
    assert all(face.flan.sure for face in cut_file(path))
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + content[middle + 100 :])
    faces = cut_file(path)
    assert faces
    assert all("damaged" in (face.flan.reason or "") for face in faces)
    assert not any(face.flan.sure for face in faces)
    # A person who has marked the coin has looked at it.
    circle = faces[0].flan.circle
    marked = Override(path.name, faces[0].side, circle)
    assert any(face.flan.sure for face in cut_file(path, overrides=(marked,)))


def test_a_brightness_that_jumps_within_a_row_of_blocks_is_damage(tmp_path: Path) -> None:
    """What a lost stretch leaves behind where the decoder finds its way again and warns of nothing:
    all blocks from one in the middle of a row on are brighter."""
    path = tmp_path / "1.jpg"
    with Image.open(SAMPLE) as image:
        whole = np.asarray(image.convert("RGB")).astype(int)
    row, column = whole.shape[0] // 32 * 16, whole.shape[1] // 48 * 16
    for step, damaged in ((0, False), (12, True)):
        shifted = whole.copy()
        shifted[row : row + 16, column:] += step
        shifted[row + 16 :] += step
        Image.fromarray(shifted.clip(0, 255).astype(np.uint8)).save(path, quality=90)
        assert (read_picture(path).damage is not None) is damaged


def test_a_straight_edge_of_the_coins_ground_is_no_damage(tmp_path: Path) -> None:
    """A card's edge, across the whole picture or rising by a row of blocks, is not a lost one."""
    path = tmp_path / "1.jpg"
    with Image.open(SAMPLE) as image:
        whole = np.asarray(image.convert("RGB")).astype(int)
    down, across = np.mgrid[: whole.shape[0], : whole.shape[1]]
    for rise in (0, 8, 16, 40):
        edge = whole.shape[0] // 32 * 16 + rise * (0.5 - across / across.max())
        below = np.clip(down - edge + 0.5, 0, 1)[..., None]
        Image.fromarray((whole * (1 - 0.4 * below)).astype(np.uint8)).save(path, quality=90)
        assert read_picture(path).damage is None


def test_a_lost_sector_of_zeros_is_damage_and_a_flat_ground_is_not(tmp_path: Path) -> None:
    path = tmp_path / "1.jpg"
    with Image.open(SAMPLE) as image:
        image.save(path, quality=90)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes(512) + content[middle + 512 :])
    assert read_picture(path).damage is not None
    # Codes made for a flat picture may be zeros for long.
    for mode in ("RGB", "L"):
        Image.new(mode, (2000, 2000), "white").save(path, optimize=True)
        assert read_picture(path).damage is None
