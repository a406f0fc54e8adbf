"""Cuts the README's picture out of the demo's video.

``python tools/demo_picture.py out/demo/video.mp4 docs/demo.png [SECONDS ...]`` puts the frames at
the given times side by side; one frame from the middle when none is given.
"""
from __future__ import annotations

import sys

import av
from PIL import Image

WIDTH_PX = 1_280


def frames_at(path: str, times_s: list[float]) -> list[Image.Image]:
    """Return the frame shown at each time."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        wanted = times_s or [float(stream.duration * stream.time_base) / 2.0]
        found: dict[float, Image.Image] = {}
        for frame in container.decode(stream):
            for time_s in wanted:
                if time_s not in found and frame.time >= time_s:
                    found[time_s] = frame.to_image()
    return [found[time_s] for time_s in wanted if time_s in found]


def main() -> int:
    """Write the picture."""
    if len(sys.argv) < 3:
        print('usage: python tools/demo_picture.py VIDEO PICTURE [SECONDS ...]', file=sys.stderr)
        return 2
    frames = frames_at(sys.argv[1], [float(word) for word in sys.argv[3:]])
    width = WIDTH_PX // len(frames)
    small = [frame.resize((width, round(frame.height * width / frame.width))) for frame in frames]
    picture = Image.new('RGB', (width * len(small), small[0].height))
    for index, frame in enumerate(small):
        picture.paste(frame, (index * width, 0))
    picture.quantize(192).save(sys.argv[2], optimize=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
