// Owns what the generated camera of the check shows: a drawn person in an office who moves a little, as a raw video file that the browser loops.
import { closeSync, openSync, writeSync } from 'node:fs';

const width = 1280;
const height = 720;
const framesPerSecond = 20;
const frameCount = 40;

/** Writes 1280×720, 20 pictures a second, two seconds, YUV 4:2:0 (yuv4mpeg, 55 MB). */
export function writeCameraPicture(file: string): void {
  const output = openSync(file, 'w', 0o600);
  try {
    writeSync(output, `YUV4MPEG2 W${String(width)} H${String(height)} F${String(framesPerSecond)}:1 Ip A1:1 C420jpeg\n`);
    const empty = office();
    for (let frame = 0; frame < frameCount; frame++) {
      const phase = (2 * Math.PI * frame) / frameCount;
      const picture = Uint8Array.from(empty);
      for (const part of person) paint(picture, { ...part, x: part.x + 7 * Math.sin(phase), y: part.y + 3 * Math.sin(2 * phase) });
      writeSync(output, 'FRAME\n');
      writeSync(output, picture);
    }
  } finally {
    closeSync(output);
  }
}

interface Shape {
  readonly kind: 'ellipse' | 'box';
  /** The middle, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly halfWidth: number;
  readonly halfHeight: number;
  readonly colour: readonly [red: number, green: number, blue: number];
  /** Width of its edge in pixels, default 2. */
  readonly soft?: number;
  /** Default 1. */
  readonly opacity?: number;
}

function box(x: number, y: number, halfWidth: number, halfHeight: number, colour: Shape['colour'], more: Partial<Shape> = {}): Shape {
  return { kind: 'box', x, y, halfWidth, halfHeight, colour, ...more };
}

function ellipse(x: number, y: number, halfWidth: number, halfHeight: number, colour: Shape['colour']): Shape {
  return { kind: 'ellipse', x, y, halfWidth, halfHeight, colour };
}

const hair = [58, 42, 36] as const;
const room: readonly Shape[] = [
  box(640, 360, 700, 400, [226, 223, 219]),
  box(1180, 620, 520, 420, [196, 193, 196], { soft: 900, opacity: 0.9 }),
  box(170, 250, 130, 210, [250, 250, 252], { soft: 40, opacity: 0.85 }),
  box(1120, 330, 150, 7, [166, 150, 136]),
  box(1010, 286, 12, 37, [70, 86, 140], { opacity: 0.8 }),
  box(1040, 279, 12, 44, [190, 120, 96], { opacity: 0.8 }),
  box(1070, 290, 12, 33, [108, 140, 132], { opacity: 0.8 }),
  box(1110, 283, 12, 40, [120, 110, 140], { opacity: 0.8 }),
  box(1140, 288, 12, 35, [206, 186, 140], { opacity: 0.8 }),
];
const person: readonly Shape[] = [
  ellipse(640, 318, 142, 168, hair),
  ellipse(640, 800, 330, 290, [34, 40, 74]),
  ellipse(640, 560, 62, 118, [244, 246, 250]),
  ellipse(640, 478, 56, 76, [205, 156, 128]),
  ellipse(640, 348, 112, 142, [222, 176, 148]),
  ellipse(640, 212, 116, 62, hair),
];

/** A wall in soft light, a window at the left, a shelf of books at the right. */
function office(): Uint8Array {
  const picture = new Uint8Array((width * height * 3) / 2);
  for (const shape of room) paint(picture, shape);
  return picture;
}

/** Blends a shape in: a plane of brightness, then two of colour at half the size (BT.601, full range). Mixing colours is the same in each. */
function paint(picture: Uint8Array, shape: Shape): void {
  const [red, green, blue] = shape.colour;
  const size = width * height;
  const plane = (start: number, step: 1 | 2, value: number): void => {
    const margin = (shape.soft ?? 2) / 2;
    const top = Math.max(0, Math.floor((shape.y - shape.halfHeight - margin) / step));
    const bottom = Math.min(height / step, Math.ceil((shape.y + shape.halfHeight + margin) / step));
    const left = Math.max(0, Math.floor((shape.x - shape.halfWidth - margin) / step));
    const right = Math.min(width / step, Math.ceil((shape.x + shape.halfWidth + margin) / step));
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const at = start + (y * width) / step + x;
        const under = picture[at] ?? 0;
        picture[at] = under + (value - under) * coverOf(shape, x * step, y * step);
      }
    }
  };
  plane(0, 1, 0.299 * red + 0.587 * green + 0.114 * blue);
  plane(size, 2, 128 - 0.168736 * red - 0.331264 * green + 0.5 * blue);
  plane(size + size / 4, 2, 128 + 0.5 * red - 0.418688 * green - 0.081312 * blue);
}

/** How much of the pixel is inside: all of it well inside, nothing outside, between at the edge. */
function coverOf({ kind, x: middleX, y: middleY, halfWidth, halfHeight, soft = 2, opacity = 1 }: Shape, x: number, y: number): number {
  const [fromX, fromY] = [Math.abs(x - middleX), Math.abs(y - middleY)];
  if (kind === 'box') return opacity * clamp((halfWidth - fromX) / soft + 0.5) * clamp((halfHeight - fromY) / soft + 0.5);
  const distance = Math.sqrt((fromX / halfWidth) ** 2 + (fromY / halfHeight) ** 2);
  return opacity * clamp(((1 - distance) * Math.min(halfWidth, halfHeight)) / soft + 0.5);
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}
