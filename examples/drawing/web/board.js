// What is drawn: strokes that are kept, in the order of the log, and those that are on their way.

export const WIDTH = 4000, HEIGHT = 3000, PAPER = 8, MOST = 1000; // as in shape.go
const KEPT = 4000; // strokes, as in main.go

const key = (by, id) => by + " " + id;

export class Board {
  strokes = new Map(); // by and id → stroke
  live = new Map(); // user → the stroke that they draw
  /** Called with what a view can paint over what it has, or with nothing: then all is to be painted anew. */
  changed = (stroke) => {};

  /** Keeps a stroke. One that is there, because it is one's own or was sent again, takes its place in the order of the log. */
  add(by, { id, colour, width, points }) {
    const k = key(by, id), stroke = { by, id, colour, width, points };
    const last = [...this.strokes.keys()].at(-1) === k;
    const known = this.strokes.delete(k);
    this.strokes.set(k, stroke);
    if (this.live.get(by)?.id === id) this.live.delete(by);
    if (this.strokes.size > KEPT) {
      for (const old of [...this.strokes.keys()].slice(0, 100)) this.strokes.delete(old); // some more, so that it is seldom
      this.changed();
    } else if (!known) this.changed(stroke);
    else if (!last) this.changed();
  }

  /** Adds what somebody has drawn since. Where something was lost before, the line begins here: the kept stroke has it all. */
  extend(by, { id, colour, width, points, from }) {
    if (this.strokes.has(key(by, id))) return; // it came after its end
    let s = this.live.get(by);
    if (s?.id !== id) this.live.set(by, (s = { by, id, colour, width, points: [], sent: from }));
    if (from + points.length <= s.sent) return;
    if (from > s.sent) s.points = [];
    s.points.push(...points.slice(from < s.sent ? s.sent - from : 0));
    s.sent = from + points.length;
  }

  undo(by, id) {
    if (this.strokes.delete(key(by, id))) this.changed();
  }

  clear(by) {
    for (const [k, s] of this.strokes) if (s.by === by) this.strokes.delete(k);
    this.changed();
  }

  forget() {
    this.strokes.clear();
    this.live.clear();
    this.changed();
  }

  of(by) {
    return [...this.strokes.values()].filter((s) => s.by === by);
  }
}

/** A line with fewer points that is nowhere further than so much from what it was. */
export function simplify(points, far) {
  const n = points.length / 2, keep = new Uint8Array(n);
  keep[0] = keep[n - 1] = 1;
  const spans = [[0, n - 1]];
  while (spans.length) {
    const [a, b] = spans.pop();
    const x = points[2 * a], y = points[2 * a + 1], dx = points[2 * b] - x, dy = points[2 * b + 1] - y;
    const length = dx * dx + dy * dy;
    let most = far * far, at = 0;
    for (let i = a + 1; i < b; i++) {
      const px = points[2 * i] - x, py = points[2 * i + 1] - y;
      const t = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
      const d = (px - t * dx) ** 2 + (py - t * dy) ** 2;
      if (d > most) [most, at] = [d, i];
    }
    if (!at) continue;
    keep[at] = 1;
    spans.push([a, at], [at, b]);
  }
  return points.filter((_, i) => keep[i >> 1]);
}
