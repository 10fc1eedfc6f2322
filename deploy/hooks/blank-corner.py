#!/usr/bin/env python3
"""A processing hook that blanks the upper left corner of every uncompressed image, as scanners write there who was imaged.

The hook's settings: outputs: instances. Needs pydicom. Usage: blank-corner.py [ROWS COLUMNS] INPUT OUTPUT
"""

import sys
from pathlib import Path

import pydicom


def blank(dataset: pydicom.Dataset, rows: int, columns: int) -> None:
    """Sets the corner of every frame to 0; one plane or one sample after the other, as PS3.5 8.2 lays pixels out."""
    pixels = bytearray(dataset.PixelData)
    samples = dataset.SamplesPerPixel
    sample_bytes = dataset.BitsAllocated // 8
    is_by_plane = samples > 1 and dataset.get("PlanarConfiguration", 0) == 1
    planes = int(dataset.get("NumberOfFrames", 1) or 1) * (samples if is_by_plane else 1)
    pixel_bytes = sample_bytes * (1 if is_by_plane else samples)
    row_bytes = dataset.Columns * pixel_bytes
    width = min(columns, dataset.Columns) * pixel_bytes
    for plane in range(planes):
        for row in range(min(rows, dataset.Rows)):
            start = (plane * dataset.Rows + row) * row_bytes
            pixels[start : start + width] = bytes(width)
    dataset.PixelData = bytes(pixels)


def main() -> int:
    *size, source, target = sys.argv[1:]
    rows, columns = map(int, size) if size else (64, 256)
    instances = Path(target) / "instances"
    instances.mkdir()
    for path in sorted(Path(source).glob("*/*.dcm")):
        dataset = pydicom.dcmread(path)
        if "PixelData" not in dataset:
            continue
        if dataset.file_meta.TransferSyntaxUID.is_compressed or dataset.BitsAllocated % 8 != 0:
            # 65: the study is not for this program. It is quarantined, and a person looks at it.
            return 65
        blank(dataset, rows, columns)
        dataset.save_as(instances / path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
