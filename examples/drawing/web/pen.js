// What one does on the stage, with a pointer, two fingers, a wheel or keys.

import { MOST, PAPER } from "./board.js";

const $ = (id) => document.getElementById(id);
const STEP = 20; // of the board, for one press of an arrow key

/**
 * The hooks: begin(point), extend(points), end(), drop() for a stroke, with points of the board; hover(point or null) for the pointer;
 * taken() when the user takes the view into their own hands.
 */
export class Pen {
  tool = "pen";
  #view;
  #hooks;
  #drawing = null; // the id of the pointer that draws, or "keys"
  #drawn = 0; // points of its stroke
  #fingers = new Map(); // id → [x, y]
  #dragging = null; // the id of the pointer that moves the view
  #keys = null; // where the keyboard's pointer is
  #stylus = false; // there is a stylus: fingers don't draw

  constructor(view, hooks) {
    this.#view = view;
    this.#hooks = hooks;
    const stage = $("stage");
    stage.addEventListener("pointerdown", (e) => this.#down(e));
    stage.addEventListener("pointermove", (e) => this.#move(e));
    for (const type of ["pointerup", "pointercancel"]) stage.addEventListener(type, (e) => this.#up(e));
    stage.addEventListener("pointerleave", () => this.#drawing === null && hooks.hover(null));
    stage.addEventListener("contextmenu", (e) => e.preventDefault());
    stage.addEventListener("wheel", (e) => this.#wheel(e), { passive: false });
    stage.addEventListener("keydown", (e) => this.#key(e));
    stage.addEventListener("blur", () => this.letGo());
  }

  /** The keyboard's pointer, or null; and if its pen is down. */
  get keys() {
    return this.#keys && { at: this.#keys, down: this.#drawing === "keys" };
  }

  /** Ends what the keyboard began. */
  letGo() {
    if (this.#drawing === "keys") this.#finish();
    this.#keys = null;
    this.#hooks.hover(null);
  }

  #down(e) {
    const at = [e.offsetX, e.offsetY];
    if (e.pointerType === "pen") this.#stylus = true;
    if (e.pointerType === "touch") {
      this.#fingers.set(e.pointerId, at);
      if (this.#fingers.size === 2) { // it was no stroke, but the first finger of two
        if (this.#drawing !== null) this.#hooks.drop();
        this.#drawing = this.#dragging = null;
        this.#hooks.taken();
        return;
      }
    }
    if (this.#drawing !== null || this.#dragging !== null || this.#fingers.size > 1) return;
    this.#keys = null;
    e.target.setPointerCapture?.(e.pointerId);
    const finger = e.pointerType === "touch" && this.#stylus;
    if (this.tool === "hand" || e.button === 1 || finger) {
      this.#dragging = e.pointerId;
      this.#fingers.set(e.pointerId, at);
      this.#hooks.taken();
    } else if (e.button === 0 && this.#hooks.begin(this.#view.at(...at))) {
      this.#drawing = e.pointerId;
      this.#drawn = 1;
    }
  }

  #move(e) {
    const at = [e.offsetX, e.offsetY];
    const before = this.#fingers.get(e.pointerId);
    if (this.#fingers.has(e.pointerId)) this.#fingers.set(e.pointerId, at);
    if (this.#fingers.size === 2) return this.#pinch(e.pointerId, before, at);
    if (this.#dragging === e.pointerId) return this.#view.pan(at[0] - before[0], at[1] - before[1]);
    if (this.#drawing === e.pointerId) {
      const all = e.getCoalescedEvents?.() ?? [];
      this.#draw((all.length ? all : [e]).map((p) => this.#view.at(p.offsetX, p.offsetY)));
    }
    if (e.pointerType !== "touch" || this.#drawing === e.pointerId) this.#hooks.hover(this.#view.at(...at));
  }

  #draw(points) {
    while (points.length) {
      const part = points.splice(0, MOST - this.#drawn), last = part.at(-1);
      this.#hooks.extend(part);
      this.#drawn += part.length;
      if (this.#drawn < MOST) continue;
      this.#hooks.end(); // a long stroke is several
      this.#hooks.begin(last);
      this.#drawn = 1;
    }
  }

  #up(e) {
    this.#fingers.delete(e.pointerId);
    if (this.#dragging === e.pointerId) this.#dragging = null;
    if (this.#drawing === e.pointerId) this.#finish();
    if (e.pointerType === "touch") this.#hooks.hover(null);
  }

  #finish() {
    this.#drawing = null;
    this.#hooks.end();
  }

  /** Two fingers: one has moved, the other stands. */
  #pinch(id, before, now) {
    const [, other] = [...this.#fingers].find(([finger]) => finger !== id);
    const far = (p) => Math.max(20, Math.hypot(p[0] - other[0], p[1] - other[1]));
    const middle = (p) => [(p[0] + other[0]) / 2, (p[1] + other[1]) / 2];
    const from = middle(before), to = middle(now);
    this.#view.pan(to[0] - from[0], to[1] - from[1]);
    this.#view.zoom(far(now) / far(before), ...to);
  }

  #wheel(e) {
    e.preventDefault();
    this.#hooks.taken();
    const unit = e.deltaMode ? 20 : 1;
    if (e.ctrlKey || e.metaKey) this.#view.zoom(Math.exp(-e.deltaY * unit * 0.005), e.offsetX, e.offsetY);
    else if (e.shiftKey && !e.deltaX) this.#view.pan(-e.deltaY * unit, 0);
    else this.#view.pan(-e.deltaX * unit, -e.deltaY * unit);
  }

  #key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (move && this.tool === "hand") {
      this.#hooks.taken();
      this.#view.pan(-move[0] * 60, -move[1] * 60);
    } else if (move) {
      const far = STEP * (e.shiftKey ? 5 : 1);
      const from = this.#keys ?? this.#middle();
      this.#keys = this.#view.at(...this.#view.place([from[0] + move[0] * far, from[1] + move[1] * far]));
      if (this.#drawing === "keys") this.#draw([this.#keys]);
      this.#hooks.hover(this.#keys);
    } else if (e.key === " " && !e.repeat && this.tool !== "hand") {
      this.#keys ??= this.#middle();
      if (this.#drawing === "keys") this.#finish();
      else if (this.#drawing === null && this.#hooks.begin(this.#keys)) [this.#drawing, this.#drawn] = ["keys", 1];
      this.#hooks.hover(this.#keys);
    } else if (e.key === "Escape" && this.#keys) {
      this.letGo();
      e.stopPropagation();
    } else {
      return;
    }
    e.preventDefault();
  }

  #middle() {
    return this.#view.at($("stage").clientWidth / 2, $("stage").clientHeight / 2);
  }
}

/** The colour that a tool draws with. */
export function paint(tool, colour) {
  return tool === "eraser" ? PAPER : colour;
}
