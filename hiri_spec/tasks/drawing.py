"""What a head sees, drawn onto the image: boxes with names, masks, or a colour for each pixel with a legend."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torchvision.transforms.v2.functional import rgb_to_grayscale, to_pil_image

from .scenes import IGNORED, Answer, Found, PixelClasses

Colour = tuple[int, int, int]

TURN = 0.6180339887498949
"""Of the colour circle from one class to the next: the golden ratio, by which no few of them come close together."""
LIGHTNESS = 1.0, 0.72, 0.86
"""Classes take turns, as hues alone are too few."""
OPACITY = 0.5
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
LEAST_TEXT_PIXELS = 12
TEXT_SHARE = 1 / 32
"""Height of text over the image's shorter side."""
LEGEND_GAP = 0.5
"""Between things in a legend, over the height of its text."""


def draw_answer(image: Tensor, answer: Answer, class_names: Sequence[str], *, threshold: float) -> Image.Image:
    """An answer on its image, bytes (3, H, W); objects of a score of at least `threshold`, the surest on top.

    A class has the same colour in all pictures. Under pixel classes the image is grey, and below it stands a
    legend of those that occur, the largest first, so that such a picture is higher than its image, and wider than one
    that is narrower than a name.
    """
    image = image.cpu()
    font = ImageFont.load_default(max(LEAST_TEXT_PIXELS, round(min(image.shape[-2:]) * TEXT_SHARE)))
    if isinstance(answer, PixelClasses):
        return _draw_classes(image, answer.classes.cpu(), class_names, font)
    return _draw_objects(image, answer, class_names, threshold, font)


def colour_of(label: int) -> Colour:
    """The colour of a class."""
    saturation = 0.85 if label % 2 else 0.6
    colour = colorsys.hsv_to_rgb(label * TURN % 1, saturation, LIGHTNESS[label % len(LIGHTNESS)])
    red, green, blue = (round(255 * part) for part in colour)
    return red, green, blue


def _readable_on(colour: Colour) -> Colour:
    red, green, blue = colour
    return BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else WHITE


def _name(label: int, class_names: Sequence[str]) -> str:
    return class_names[label] if label < len(class_names) else f"class {label}"


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _draw_objects(image: Tensor, found: Found, class_names: Sequence[str], threshold: float, font: Font) -> Image.Image:
    scores = found.scores.float().cpu()
    order = scores.argsort(stable=True)
    order = order[scores[order] >= threshold]
    labels = found.labels.cpu()[order].tolist()
    colours = [colour_of(label) for label in labels]
    if found.masks is not None:
        image = image.clone()
        for index, colour in zip(order.tolist(), colours, strict=True):
            _tint(image, found.masks[index].cpu().bool(), colour)
    picture = to_pil_image(image)
    pen = ImageDraw.Draw(picture)
    line = max(2, round(min(picture.size) / 200))
    boxes = found.boxes.float().cpu()[order].tolist()
    for (left, top, right, bottom), colour in zip(boxes, colours, strict=True):
        # x2 is where the last pixel ends
        corners = (round(left), round(top), max(round(left), round(right) - 1), max(round(top), round(bottom) - 1))
        pen.rectangle(corners, outline=colour, width=line)
    for (left, top, *_), label, score, colour in zip(boxes, labels, scores[order].tolist(), colours, strict=True):
        text = f"{_name(label, class_names)} {score:.2f}"
        _write_on(pen, picture, text, round(left), round(top), colour, font)
    return picture


def _tint(image: Tensor, mask: Tensor, colour: Colour) -> None:
    """Lay a colour over the pixels of a mask, in place.

    torchvision's draw_segmentation_masks draws black where masks overlap, and takes floats of the whole image for each.
    """
    mixed = image[:, mask] * (1 - OPACITY) + torch.tensor(colour)[:, None] * OPACITY
    image[:, mask] = mixed.round().to(image.dtype)


def _write_on(
    pen: ImageDraw.ImageDraw, picture: Image.Image, text: str, left: int, top: int, colour: Colour, font: Font
) -> None:
    """A name above a corner of a box, or as near to it as the picture has room."""
    width, height = _extent(pen, text, font)
    left = max(0, min(left, picture.width - width))
    top = max(0, min(top - height, picture.height - height))
    pen.rectangle((left, top, left + width - 1, top + height - 1), fill=colour)
    pen.text((left + 1, top), text, fill=_readable_on(colour), font=font)


def _extent(pen: ImageDraw.ImageDraw, text: str, font: Font) -> tuple[int, int]:
    """Width of a text, and the height of a line of it whatever is in it."""
    return round(pen.textlength(text, font=font)) + 2, round(pen.textbbox((0, 0), "Ag", font=font)[3]) + 1


def _draw_classes(image: Tensor, classes: Tensor, class_names: Sequence[str], font: Font) -> Image.Image:
    labels, counts = classes[classes != IGNORED].unique(return_counts=True)
    present = labels[counts.argsort(descending=True, stable=True)].tolist()
    grey = rgb_to_grayscale(image, num_output_channels=3)  # or the image's colours would pass for those of classes
    image = torch.where(classes == IGNORED, image, grey)
    for label in present:
        _tint(image, classes == label, colour_of(label))
    picture = to_pil_image(image)
    legend = _draw_legend(present, class_names, picture.width, font)
    whole = Image.new("RGB", (max(picture.width, legend.width), picture.height + legend.height), WHITE)
    whole.paste(picture, (0, 0))
    whole.paste(legend, (0, picture.height))
    return whole


def _draw_legend(present: Sequence[int], class_names: Sequence[str], width: int, font: Font) -> Image.Image:
    """Patches of colour with their names, in as many lines as it takes; wider than `width` where a name is."""
    pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    line = _extent(pen, "", font)[1]
    gap = round(line * LEGEND_GAP)
    places: list[tuple[int, int, int]] = []
    widths = {label: line + gap + _extent(pen, _name(label, class_names), font)[0] + 2 * gap for label in present}
    width = max([width, *(gap + own for own in widths.values())])
    left, top = gap, gap
    for label, own in widths.items():
        if left > gap and left + own > width:
            left, top = gap, top + line + gap
        places.append((label, left, top))
        left += own
    legend = Image.new("RGB", (width, top + line + gap if places else 0), WHITE)
    pen = ImageDraw.Draw(legend)
    for label, left, top in places:
        pen.rectangle((left, top, left + line - 1, top + line - 1), fill=_shown(colour_of(label)), outline=BLACK)
        pen.text((left + line + gap, top), _name(label, class_names), fill=BLACK, font=font)
    return legend


def _shown(colour: Colour) -> Colour:
    """A colour as it looks over grey, as in the picture."""
    mixed = torch.tensor(colour) * OPACITY + 128 * (1 - OPACITY)
    red, green, blue = mixed.round().int().tolist()
    return red, green, blue
