import { Parser, TooLargeError, type StreamEvent } from "./parser.js";

/** The states of EventSource, by its numbers. */
export const CONNECTING = 0, OPEN = 1, CLOSED = 2;
export type ReadyState = 0 | 1 | 2;

/** An answer that says no. */
export class Refusal extends Error {
  override name = "Refusal";
  /** @param detail what to change, in the server's words */
  constructor(readonly status: number, readonly detail = "") {
    super(`stentor: the server answered ${status}${detail && ": " + detail}`);
  }

  /** Makes one of an answer; a proxy's has no detail. */
  static async of(r: Response): Promise<Refusal> {
    const doc = /json/.test(r.headers.get("Content-Type") ?? "") && (await r.json().catch(() => null));
    return new Refusal(r.status, "" + (doc?.detail ?? ""));
  }
}

export interface StreamOptions {
  /** Makes the request of an attempt; `after` is what the attempt before ended with. */
  request(after: unknown): Promise<[url: string, init: RequestInit]> | [url: string, init: RequestInit];
  /** Is called with each event. It must not throw. */
  take(e: StreamEvent): unknown;
  /** Is called with each new state, and with what ended the one before. */
  change(state: ReadyState, error?: unknown): void;
  /** Is called when bytes have come. */
  heard?(): void;
  /** Says that a 401 may be tried again: there may be another token. */
  token?: unknown;
  fetch?: typeof fetch | undefined;
  idleTimeout?: number | undefined;
  maxEventSize?: number | undefined;
}

const longest = 2 ** 30; // ms that anybody may ask for: a timer takes less than twice that, and beyond it fires at once
const healthy = 5_000; // ms that a stream has to be open to be no failure
const mostBackoff = 60_000; // ms that failures make the wait grow to

/**
 * A stream that comes back: after the last event that was taken, when the server says and
 * spread at random, later after each failure, and at once when the page wakes.
 */
export class Stream {
  /** The last event id, which the next attempt presents. */
  cursor = "";
  /** The reconnection time, in ms. */
  retry = 3_000;
  state: ReadyState = CONNECTING;

  #o: StreamOptions;
  #idle: number;
  #life = new AbortController();
  #attempt = new AbortController(); // the one that is running, its wait included
  #waiting = false;
  #heard = 0; // when bytes came, or an attempt began
  #opened = 0; // when the attempt was accepted
  #before: unknown; // what the last attempt ended with; null: with restart
  #final = false; // there is no other after it
  #ticking: ReturnType<typeof setInterval> | undefined;

  constructor(o: StreamOptions) {
    this.#o = o;
    this.#idle = o.idleTimeout || 45_000;
  }

  /** Begins; again after stop. */
  start(): void {
    const { signal } = (this.#life = new AbortController());
    this.#final = false;
    listen("visibilitychange resume pageshow pagehide online", this.#wake, signal);
    if (this.#idle > 0) this.#ticking = setInterval(this.#tick, Math.min(this.#idle / 4, longest));
    void this.#run(signal);
  }

  /** Ends it. Nothing is told any more. */
  stop(): void {
    this.state = CLOSED;
    this.#life.abort();
    clearInterval(this.#ticking);
    this.#attempt.abort();
  }

  /** Connects anew at once, without losing the place. */
  restart(): void {
    this.state = CONNECTING;
    this.#attempt.abort(null);
  }

  #set(state: ReadyState, error?: unknown): void {
    this.state = state;
    this.#o.change(state, error);
  }

  /** A page that wakes doesn't wait, and doesn't trust a connection that has been silent. One that is put away gives its own back. */
  #wake = ({ type, persisted }: Partial<PageTransitionEvent>): void => {
    if (type === "pagehide") return void (persisted && this.#attempt.abort());
    if (type === "visibilitychange" && document.hidden) return;
    const silent = this.#idle > 0 && Date.now() - this.#heard > this.#idle / 2;
    const surely = /online|resume/.test(type!) || persisted;
    if (this.#waiting || silent || surely) this.restart();
  };

  /** By the clock of the day: that of timers stands still while a laptop sleeps. */
  #tick = (): void => {
    if (!this.#waiting && Date.now() - this.#heard > this.#idle) {
      this.#attempt.abort(new Error("stentor: the stream was silent"));
    }
  };

  async #run(life: AbortSignal): Promise<void> {
    let failures = 0;
    this.#set(CONNECTING);
    while (!life.aborted) {
      const attempt = (this.#attempt = new AbortController());
      const { signal } = attempt;
      const place = this.cursor;
      this.#opened = 0;
      let end = await this.#once(signal).catch((error: unknown) => error);
      if (signal.aborted) {
        end = signal.reason;
        this.#final = false;
      }
      attempt.abort(end); // also what is left of the answer
      if (life.aborted) return;
      if (this.#final) {
        this.stop();
        return this.#o.change(CLOSED, end);
      }
      if (end === null || (this.#opened && (Date.now() - this.#opened >= healthy || this.cursor !== place))) failures = 0;
      this.#before = end;
      this.#attempt = new AbortController();
      this.#set(CONNECTING, end ?? undefined);
      if (end !== null && !(await this.#wait(this.#pause(failures++, end)))) failures = 0;
    }
  }

  /** One attempt. It always throws, what it ended with. */
  async #once(signal: AbortSignal): Promise<never> {
    const o = this.#o;
    this.#heard = Date.now();
    const [url, init] = await until(signal, o.request(this.#before));
    const headers = new Headers(init.headers);
    headers.set("Accept", "text/event-stream");
    // A header takes bytes, one character each.
    if (this.cursor) headers.set("Last-Event-ID", String.fromCharCode(...new TextEncoder().encode(this.cursor.slice(0, 4096))));
    const r = await (o.fetch ?? fetch)(url, { cache: "no-store", ...init, headers, signal });
    await this.#accept(r);
    this.#heard = this.#opened = Date.now();
    this.#set(OPEN);
    await this.#read(r.body!, signal);
    throw new Error("stentor: the stream ended");
  }

  async #accept(r: Response): Promise<void> {
    const { status, headers } = r;
    if (status === 200 && r.body) {
      const type = headers.get("Content-Type") ?? "";
      this.#final = !/^text\/event-stream\s*(;|$)/i.test(type);
      if (this.#final) throw new Error(`stentor: no event stream but "${type}"; is the URL right?`);
      return;
    }
    const refusal = Object.assign(await Refusal.of(r), { after: headers.get("Retry-After") });
    const renewed = status === 401 && this.#o.token && (this.#before as Partial<Refusal>)?.status !== 401;
    this.#final = !(renewed || /^(408|429|5..)$/.test("" + status));
    throw refusal;
  }

  async #read(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<void> {
    const o = this.#o;
    const text = new TextDecoder();
    const parser = new Parser({
      event: (e) => {
        if (signal.aborted) return; // by the one before
        this.cursor = parser.lastEventId;
        o.take(e);
      },
      retry: (ms) => (this.retry = Math.min(Math.max(ms, 10), longest)),
    }, o.maxEventSize || 16 << 20, this.cursor);
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await until(signal, reader.read());
      if (done) return;
      this.#heard = Date.now();
      o.heard?.();
      try {
        parser.push(text.decode(value, { stream: true }));
      } catch (error) {
        this.#final = error instanceof TooLargeError;
        throw error;
      }
      signal.throwIfAborted();
      this.cursor = parser.lastEventId; // an id that comes alone counts too
    }
  }

  /** Never less than the server asked for, and spread above. */
  #pause(failures: number, end: unknown): number {
    const floor = Math.max(this.retry, retryAfter((end as { after: string }).after));
    const grown = failures && Math.min(Math.max(this.retry, 50) * 2 ** failures, mostBackoff) - floor;
    return floor + Math.random() * (Math.max(grown, 0) + Math.max(this.retry / 2, floor / 8));
  }

  /** False: it was cut short. */
  async #wait(ms: number): Promise<boolean> {
    const { signal } = this.#attempt;
    this.#waiting = true;
    await new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", () => (clearTimeout(timer), done()));
      if (signal.aborted) done();
    });
    this.#waiting = false;
    return !signal.aborted;
  }
}

/** Calls f with events of the page, until the signal. Where there is no page, never. */
export function listen(types: string, f: (e: Event) => void, signal: AbortSignal): void {
  for (const type of types.split(" ")) globalThis.window?.addEventListener(type, f, { capture: true, signal }); // those of the document too
}

/** The promise's value, or the signal's reason if that is earlier. */
function until<T>(signal: AbortSignal, promise: T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    Promise.resolve(promise).then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** What Retry-After asks for, in ms: seconds, or a date. */
function retryAfter(value: string): number {
  const ms = +value * 1000 || Date.parse(value) - Date.now();
  return Math.min(Math.max(ms || 0, 0), longest);
}
