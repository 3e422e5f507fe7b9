// What goes to the server: one request at a time, some thirty a second at most. What is to be kept goes first, in order and until the server
// has it; what is live goes with the newest of everything, or not at all.

const PERIOD = 33, MOST = 500; // ms between two; messages that wait

export class Sender {
  #publish;
  #trouble;
  #kept = [];
  #live = null;
  #due = 0;
  #running = false;

  /** publish gives a promise; trouble is told of what the server refused. */
  constructor(publish, trouble) {
    this.#publish = publish;
    this.#trouble = trouble;
  }

  /** How many messages wait to be kept. */
  get waiting() {
    return this.#kept.length;
  }

  keep(type, what) {
    if (type === "stroke" && this.#live?.stroke?.id === what.id) delete this.#live.stroke; // it is all in here
    this.#kept.push({ type, data: what });
    if (this.#kept.length > MOST) {
      this.#kept.shift();
      this.#trouble(new Error("some strokes were lost: the server was away for too long"));
    }
    this.#run();
  }

  /** Tells what is so now. A piece of a stroke is added to the one that still waits. */
  live(now) {
    const before = this.#live?.stroke, piece = now.stroke;
    if (before && piece?.id === before.id) {
      now = { ...now, stroke: { ...before, points: [...before.points, ...piece.points] } };
    }
    this.#live = now;
    this.#run();
  }

  /** Sends something at once that is not worth a second try. */
  say(type, what) {
    this.#publish({ type, data: what }).catch(() => {});
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    while (this.#kept.length || this.#live) {
      await sleep(this.#due - performance.now());
      this.#due = performance.now() + PERIOD;
      const m = this.#kept[0] ?? { type: "live", data: this.#live };
      if (m !== this.#kept[0]) this.#live = null;
      try {
        await this.#publish(m);
        if (m === this.#kept[0]) this.#kept.shift();
      } catch (error) {
        const final = error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429;
        if (final && m === this.#kept[0]) this.#kept.shift();
        if (final) this.#trouble(error);
        else this.#due += 1000;
      }
    }
    this.#running = false;
  }
}

function sleep(ms) {
  return ms > 0 ? new Promise((done) => setTimeout(done, ms)) : undefined;
}
