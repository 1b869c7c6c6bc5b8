// Faces as layers that are laid on one another: the picture, its edges, its legend unrolled.

const kept = new Map();
const MOST = 24;
const GROUND = 29; // brightness around a face

// `around`: what the picture shows beyond every edge of the frame, in frames.
export function load(address, around = 0) {
  if (!kept.has(address)) {
    const made = read(address, around);
    made.catch(() => kept.delete(address));
    kept.set(address, made);
    while (kept.size > MOST) kept.delete(kept.keys().next().value);
  } else {
    const found = kept.get(address);
    kept.delete(address);
    kept.set(address, found);
  }
  return kept.get(address);
}

async function read(address, around) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return new Layer(image, around);
}

function canvas(width, height) {
  const made = document.createElement("canvas");
  made.width = width;
  made.height = height;
  return made;
}

export class Layer {
  constructor(image, around) {
    this.image = image;
    this.around = around;
    this.width = image.naturalWidth;
    this.height = image.naturalHeight;
    this.made = new Map();
  }

  // A layer made of this one, once.
  of(name, make) {
    if (!this.made.has(name)) this.made.set(name, make());
    return this.made.get(name);
  }

  // Brightness 0 … 255, (width × height).
  get grey() {
    return this.of("grey", () => {
      const drawn = canvas(this.width, this.height);
      const context = drawn.getContext("2d", { willReadFrequently: true });
      context.drawImage(this.image, 0, 0);
      const { data } = context.getImageData(0, 0, this.width, this.height);
      const grey = new Float32Array(this.width * this.height);
      for (let k = 0, at = 0; k < grey.length; k++, at += 4) grey[k] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
      return grey;
    });
  }

  painted(colour) {
    const { width, height } = this;
    const drawn = canvas(width, height);
    const context = drawn.getContext("2d");
    const data = context.createImageData(width, height);
    for (let k = 0; k < width * height; k++) colour(k, data.data, 4 * k);
    context.putImageData(data, 0, 0);
    return drawn;
  }

  // Grey with the light inverted: what was lit from the left is lit from the right.
  get inverted() {
    return this.of("inverted", () => this.painted((k, data, at) => {
      data[at] = data[at + 1] = data[at + 2] = 255 - this.grey[k];
      data[at + 3] = 255;
    }));
  }

  // Brightness evened out over the coin, so that two photographs can be told apart.
  get even() {
    return this.of("even", () => {
      const { width, height } = this;
      const near = blurred(this.grey, width, height, Math.round(width / 14));
      const away = Float32Array.from(this.grey, (value, k) => value - near[k]);
      const spread = blurred(away.map((value) => value * value), width, height, Math.round(width / 14));
      const ground = blurred(this.grey.map((value) => (Math.abs(value - GROUND) < 3 ? 1 : 0)), width, height, 3);
      return this.painted((k, data, at) => {
        const value = ground[k] > 0.9 ? 128 : 128 + (48 * away[k]) / Math.sqrt(spread[k] + 40);
        data[at] = data[at + 1] = data[at + 2] = value;
        data[at + 3] = 255;
      });
    });
  }

  // Edges in one colour on black: where the relief turns, whatever the light.
  edges(red, green, blue) {
    return this.of(`edges ${red}`, () => {
      const { width, height } = this;
      const soft = blurred(this.grey, width, height, Math.max(1, Math.round(width / 512)));
      const found = new Float32Array(width * height);
      for (let y = 1; y < height - 1; y++) {
        for (let x = 1; x < width - 1; x++) {
          const at = y * width + x;
          const across = soft[at + 1] - soft[at - 1];
          const down = soft[at + width] - soft[at - width];
          found[at] = Math.hypot(across, down);
        }
      }
      const near = blurred(found, width, height, Math.round(width / 10));
      return this.painted((k, data, at) => {
        const strength = Math.min(1, (found[k] / (near[k] + 3)) * 0.42);
        data[at] = red * strength;
        data[at + 1] = green * strength;
        data[at + 2] = blue * strength;
        data[at + 3] = 255;
      });
    });
  }

  // The ring of the legend from the top clockwise, outer edge above: a strip.
  get unrolled() {
    return this.of("unrolled", () => {
      const [width, height] = [1600, 190];
      const drawn = canvas(width, height);
      const context = drawn.getContext("2d");
      const data = context.createImageData(width, height);
      const { grey } = this;
      const [outer, inner] = [0.475, 0.285];
      const [across, down] = [this.width, this.height].map((size) => size / (1 + 2 * this.around));
      const [left, top] = [across, down].map((size) => (0.5 + this.around) * size - 0.5);
      for (let y = 0; y < height; y++) {
        const radius = outer - ((outer - inner) * y) / (height - 1);
        for (let x = 0; x < width; x++) {
          const turn = (2 * Math.PI * x) / width - Math.PI / 2;
          const value = sampled(grey, this.width, this.height, left + radius * Math.cos(turn) * across, top + radius * Math.sin(turn) * down);
          const at = 4 * (y * width + x);
          data.data[at] = data.data[at + 1] = data.data[at + 2] = value;
          data.data[at + 3] = 255;
        }
      }
      context.putImageData(data, 0, 0);
      return drawn;
    });
  }
}

function sampled(values, width, height, x, y) {
  const left = Math.max(0, Math.min(width - 2, Math.floor(x)));
  const top = Math.max(0, Math.min(height - 2, Math.floor(y)));
  const [a, b] = [Math.max(0, Math.min(1, x - left)), Math.max(0, Math.min(1, y - top))];
  const at = top * width + left;
  return (values[at] * (1 - a) + values[at + 1] * a) * (1 - b) + (values[at + width] * (1 - a) + values[at + width + 1] * a) * b;
}

// The mean over squares of 2 × reach + 1 pixels.
function blurred(values, width, height, reach) {
  const across = new Float32Array(values.length);
  const found = new Float32Array(values.length);
  for (let y = 0; y < height; y++) slide(values, across, y * width, 1, width, reach);
  for (let x = 0; x < width; x++) slide(across, found, x, width, height, reach);
  return found;
}

function slide(from, to, start, step, count, reach) {
  let [sum, held] = [0, 0];
  for (let k = 0; k < Math.min(reach, count); k++) { sum += from[start + k * step]; held++; }
  for (let k = 0; k < count; k++) {
    if (k + reach < count) { sum += from[start + (k + reach) * step]; held++; }
    if (k - reach - 1 >= 0) { sum -= from[start + (k - reach - 1) * step]; held--; }
    to[start + k * step] = sum / held;
  }
}
