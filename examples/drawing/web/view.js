// What of the board is seen, and painting it.

import { HEIGHT, PAPER, WIDTH } from "./board.js";

const $ = (id) => document.getElementById(id);
const LEAST = 0.05, MOST = 5; // pixels for one unit of the board

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
  #follows = null; // what is shown at any size of the window
  #waiting = []; // strokes to paint over what is there
  #all = true; // everything is to be painted
  #inked = false; // there is something in #ink

  constructor(board) {
    this.#board = board;
    board.changed = (stroke) => (stroke ? this.#waiting.push(stroke) : (this.#all = true));
    new ResizeObserver(() => this.#size()).observe($("stage"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#dress());
    this.#dress();
    this.fit();
  }

  /**
   * What is seen between the panels, as the others are told: x, y, width, height in tenths of the board's units. Who follows sees what
   * they were told, so that two who watch each other stand still.
   */
  get seen() {
    if (this.#follows) return this.#follows;
    const { left, top, width, height } = inner();
    return [this.x + left / this.scale, this.y + top / this.scale, width / this.scale, height / this.scale].map((n) => Math.round(10 * n));
  }

  /** The point of the board under a pixel, or the nearest. */
  at(px, py) {
    const x = Math.round(this.x + px / this.scale), y = Math.round(this.y + py / this.scale);
    return [Math.min(WIDTH, Math.max(0, x)), Math.min(HEIGHT, Math.max(0, y))];
  }

  place([x, y]) {
    return [(x - this.x) * this.scale, (y - this.y) * this.scale];
  }

  /** Shows the whole board, whatever becomes of the window. */
  fit() {
    this.follow([0, 0, 10 * WIDTH, 10 * HEIGHT]);
  }

  /** Shows what somebody else sees, as large as it gets, whatever becomes of the window. */
  follow(seen) {
    const { left, top, width, height } = inner(), [x, y, w, h] = seen.map((n) => n / 10);
    const scale = Math.min(4 * MOST, Math.max(LEAST / 4, Math.min(width / w, height / h)));
    this.#look(x + w / 2 - (left + width / 2) / scale, y + h / 2 - (top + height / 2) / scale, scale);
    this.#follows = seen;
  }

  /** Zooms so that what is under a pixel stays there. */
  zoom(by, px = $("stage").clientWidth / 2, py = $("stage").clientHeight / 2) {
    const scale = Math.min(MOST, Math.max(LEAST, this.scale * by));
    this.#follows = null;
    this.#look(this.x + px / this.scale - px / scale, this.y + py / this.scale - py / scale, scale);
  }

  pan(dx, dy) {
    this.#follows = null;
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
    if (this.#follows) this.follow(this.#follows);
    this.moved();
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

/** The part of the window that no panel covers. */
function inner() {
  const { clientWidth: w, clientHeight: h } = $("stage"), tools = $("tools").offsetHeight;
  return w < 780 // as in style.css
    ? { left: 8, top: 98, width: w - 16, height: Math.max(60, h - 98 - tools - 8) }
    : { left: 24, top: 70, width: w - 48, height: Math.max(60, h - 70 - tools - 26) };
}

const ROUND = 20; // of the board: how far from a point its corner is rounded at the most

/** A line through points, with round corners: smooth where they are close together. */
function line(p) {
  const path = new Path2D();
  if (!p.length) return path;
  path.moveTo(p[0], p[1]);
  if (p.length === 2) path.lineTo(p[0] + 0.01, p[1]); // a dot
  for (let i = 2; i < p.length - 2; i += 2) {
    const x = p[i], y = p[i + 1];
    path.lineTo(...towards(x, y, p[i - 2], p[i - 1]));
    path.quadraticCurveTo(x, y, ...towards(x, y, p[i + 2], p[i + 3]));
  }
  if (p.length > 2) path.lineTo(p.at(-2), p.at(-1));
  return path;
}

/** A point on the way to another: half of it, or not so far. */
function towards(x, y, toX, toY) {
  const far = Math.hypot(toX - x, toY - y);
  const k = far && Math.min(0.5, ROUND / far);
  return [x + (toX - x) * k, y + (toY - y) * k];
}
