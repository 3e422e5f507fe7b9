// What of the board is seen, and painting it.

import { HEIGHT, PAPER, WIDTH } from "./board.js";

const $ = (id) => document.getElementById(id);
const LEAST = 0.05, MOST = 6; // pixels for one unit of the board

export class View {
  x = 0; // the board's point in the upper left corner
  y = 0;
  scale = 1;
  /** Called when something else is seen than before. */
  moved = () => {};
  #board;
  #picture = $("picture").getContext("2d");
  #ink = $("ink").getContext("2d");
  #paths = new WeakMap(); // of kept strokes
  #colours = [];
  #edge = "";
  #whole = true; // the whole board is shown, at any size of the window
  #waiting = []; // strokes to paint over what is there
  #all = true; // everything is to be painted
  #inked = false; // there is something in #ink

  constructor(board) {
    this.#board = board;
    board.changed = (stroke) => (stroke ? this.#waiting.push(stroke) : (this.#all = true));
    new ResizeObserver(() => this.#size()).observe($("stage"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#dress());
    this.#dress();
  }

  /** What is seen, as the others are told. */
  get seen() {
    const { clientWidth, clientHeight } = $("stage");
    return [this.x, this.y, clientWidth / this.scale, clientHeight / this.scale].map(Math.round);
  }

  /** The point of the board under a pixel, or the nearest. */
  at(px, py) {
    const x = Math.round(this.x + px / this.scale), y = Math.round(this.y + py / this.scale);
    return [Math.min(WIDTH, Math.max(0, x)), Math.min(HEIGHT, Math.max(0, y))];
  }

  place([x, y]) {
    return [(x - this.x) * this.scale, (y - this.y) * this.scale];
  }

  /** Shows the whole board, in the middle of what the panels leave of the window. */
  fit() {
    const { clientWidth: w, clientHeight: h } = $("stage");
    const small = w < 780; // as in style.css
    const top = small ? 96 : 70, bottom = $("tools").offsetHeight + (small ? 6 : 26), side = small ? 6 : 24;
    const scale = Math.min((w - 2 * side) / WIDTH, (h - top - bottom) / HEIGHT);
    this.#whole = true;
    this.#look((WIDTH - w / scale) / 2, (HEIGHT - (h - bottom + top) / scale) / 2, scale);
  }

  /** Shows what somebody else sees, as large as it gets. */
  follow([x, y, w, h]) {
    const { clientWidth, clientHeight } = $("stage");
    const scale = Math.min(clientWidth / w, clientHeight / h);
    this.#whole = false;
    this.#look(x + (w - clientWidth / scale) / 2, y + (h - clientHeight / scale) / 2, scale);
  }

  /** Zooms so that what is under a pixel stays there. */
  zoom(by, px = $("stage").clientWidth / 2, py = $("stage").clientHeight / 2) {
    const scale = Math.min(MOST, Math.max(LEAST, this.scale * by));
    this.#whole = false;
    this.#look(this.x + px / this.scale - px / scale, this.y + py / this.scale - py / scale, scale);
  }

  pan(dx, dy) {
    this.#whole = false;
    this.#look(this.x - dx / this.scale, this.y - dy / this.scale, this.scale);
  }

  #look(x, y, scale) {
    // Some of the board stays in sight.
    const { clientWidth: w, clientHeight: h } = $("stage");
    const slack = 80 / scale;
    x = Math.min(WIDTH - slack, Math.max(slack - w / scale, x));
    y = Math.min(HEIGHT - slack, Math.max(slack - h / scale, y));
    if (x === this.x && y === this.y && scale === this.scale) return;
    [this.x, this.y, this.scale] = [x, y, scale];
    this.#all = true;
    this.moved();
  }

  #size() {
    const { clientWidth, clientHeight } = $("stage");
    for (const { canvas } of [this.#picture, this.#ink]) {
      canvas.width = Math.round(clientWidth * devicePixelRatio);
      canvas.height = Math.round(clientHeight * devicePixelRatio);
    }
    this.#all = true;
    if (this.#whole) this.fit();
    else this.moved();
  }

  #dress() {
    const style = getComputedStyle(document.documentElement);
    this.#colours = Array.from({ length: PAPER + 1 }, (_, i) => style.getPropertyValue("--c" + i).trim());
    this.#edge = style.getPropertyValue("--edge").trim();
    this.#all = true;
  }

  /** Paints what has changed; once for each frame. */
  paint() {
    if (this.#all) {
      this.#all = false;
      this.#waiting = [];
      this.#paper(this.#picture);
      this.#strokes(this.#picture, this.#board.strokes.values());
    } else if (this.#waiting.length) {
      this.#strokes(this.#picture, this.#waiting.splice(0));
    }
    if (!this.#inked && !this.#board.live.size) return;
    this.#clean(this.#ink);
    this.#strokes(this.#ink, this.#board.live.values());
    this.#inked = this.#board.live.size > 0;
  }

  #clean(c) {
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, c.canvas.width, c.canvas.height);
  }

  #paper(c) {
    this.#clean(c);
    this.#aim(c);
    c.fillStyle = this.#colours[PAPER];
    c.strokeStyle = this.#edge;
    c.lineWidth = 2 / this.scale;
    c.strokeRect(0, 0, WIDTH, HEIGHT);
    c.fillRect(0, 0, WIDTH, HEIGHT);
  }

  #aim(c) {
    const k = this.scale * devicePixelRatio;
    c.setTransform(k, 0, 0, k, -this.x * k, -this.y * k);
  }

  #strokes(c, strokes) {
    c.save();
    this.#aim(c);
    c.beginPath();
    c.rect(0, 0, WIDTH, HEIGHT);
    c.clip();
    c.lineCap = c.lineJoin = "round";
    for (const s of strokes) {
      c.strokeStyle = this.#colours[s.colour];
      c.lineWidth = s.width;
      c.stroke(this.#path(s));
    }
    c.restore();
  }

  #path(s) {
    if ("sent" in s) return line(s.points); // it grows
    let path = this.#paths.get(s);
    if (!path) this.#paths.set(s, (path = line(s.points)));
    return path;
  }
}

/** A smooth line through the middles between points. */
function line(p) {
  const path = new Path2D();
  if (!p.length) return path;
  path.moveTo(p[0], p[1]);
  if (p.length === 2) path.lineTo(p[0] + 0.01, p[1]); // a dot
  for (let i = 2; i < p.length - 2; i += 2) {
    path.quadraticCurveTo(p[i], p[i + 1], (p[i] + p[i + 2]) / 2, (p[i + 1] + p[i + 3]) / 2);
  }
  if (p.length > 2) path.lineTo(p.at(-2), p.at(-1));
  return path;
}
