"""Draws finegrain.png beside this file: four classes whole, a piece of each, and the same at 112 pixels a side."""

from pathlib import Path

from PIL import Image

from hiri_spec.train.data import open_dataset

PLACES = {32: (192, 192), 21: (192, 192), 26: (32, 176), 79: (120, 200)}
"""Numbers of the images, and where in them the piece begins, in pixels from the left and from the top."""
SIDE, PIECE, MARGIN = 150, 64, 4
large, small = (open_dataset("finegrain", "train", resolution=(side, side)) for side in (448, 112))
step = SIDE + MARGIN
sheet = Image.new("RGB", (len(PLACES) * step - MARGIN, 3 * step - MARGIN), "white")
for column, (index, (left, top)) in enumerate(PLACES.items()):
    whole, coarse = large[index][0], small[index][0]
    box = (left, top, left + PIECE, top + PIECE)
    piece, same = whole.crop(box), coarse.crop(tuple(edge // 4 for edge in box))
    tiles = [
        whole.resize((SIDE, SIDE), Image.Resampling.BOX),
        *(part.resize((SIDE, SIDE), Image.Resampling.NEAREST) for part in (piece, same)),
    ]
    for row, tile in enumerate(tiles):
        sheet.paste(tile, (column * step, row * step))
sheet.quantize(200, dither=Image.Dither.NONE).save(Path(__file__).with_suffix(".png"), optimize=True)
