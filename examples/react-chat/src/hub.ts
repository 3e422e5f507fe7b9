import { CLOSED, CONNECTING, OPEN, connect } from "stentor-client";
import type { Client, Handler, Member, Message, Options, ReadyState, Receipt } from "stentor-client";

/** How the connection is, and what ended the one before. */
export interface Connection {
  state: ReadyState;
  error?: unknown;
}

/**
 * One connection for all components. It is made before it connects, so that what components want of it while they mount
 * is there when it does: each may come and go, and none misses what comes first. The hooks of {@link ./hooks.tsx} use it.
 */
export class Hub {
  #url: string;
  #o: Options;
  #client: Client | undefined;
  #connection: Connection = { state: CONNECTING };
  #watching = new Set<() => void>();
  #handlers = new Map<object, { type: string; f: Handler; off?: (() => void) | undefined }>();
  #held = new Map<string, number>(); // channels, and how many want each
  #asked = new Set<string>(); // those of the client
  #bringing = false;

  /** With a lastEventId, channels that are added later are read from there too; what was here before comes again then. */
  constructor(url: string, o: Options = {}) {
    this.#url = url;
    this.#o = o;
  }

  /** Connects, and returns what ends it; both may be done again. */
  open(): () => void {
    this.#begin();
    return () => {
      this.#end();
      this.#set({ state: CONNECTING });
    };
  }

  /** As that of the client; what it returns takes the handler off. */
  on<T>(type: string, f: Handler<T>): () => void {
    const own = { type, f, off: this.#client?.on(type, f) };
    this.#handlers.set(own, own);
    return () => {
      own.off?.();
      this.#handlers.delete(own);
    };
  }

  /** Wants channels until what it returns is called. Several may want the same. */
  enter(...channels: string[]): () => void {
    for (const c of channels) this.#held.set(c, (this.#held.get(c) ?? 0) + 1);
    this.#bring();
    return () => {
      for (const c of channels) {
        const left = this.#held.get(c)! - 1;
        if (left) this.#held.set(c, left);
        else this.#held.delete(c);
      }
      this.#bring();
    };
  }

  /** Who is on a channel. It takes Options.presence. */
  members(channel: string): Member[] {
    return this.#client?.members(channel) ?? [];
  }

  publish(m: Message): Promise<Receipt> {
    return this.#client ? this.#client.publish(m) : Promise.reject(new Error("not connected"));
  }

  /** Calls f with each change of the connection. */
  watch = (f: () => void): (() => void) => {
    this.#watching.add(f);
    return () => this.#watching.delete(f);
  };

  connection = (): Connection => this.#connection;

  #begin(): void {
    this.#end();
    const asked = (this.#asked = new Set(this.#held.keys()));
    const c = (this.#client = connect(this.#url, {
      ...this.#o,
      channels: [...asked],
      change: (state, error) => this.#client === c && this.#set(error === undefined ? { state } : { state, error }),
    }));
    for (const h of this.#handlers.values()) h.off = c.on(h.type, h.f);
  }

  #end(): void {
    const c = this.#client;
    this.#client = undefined; // what it says while it closes is no news
    c?.close();
  }

  #set(connection: Connection): void {
    this.#connection = connection;
    this.#watching.forEach((f) => f());
  }

  /** Brings the client's channels in line, once for all that happens together: who leaves and comes back left nothing. */
  #bring(): void {
    if (this.#bringing) return;
    this.#bringing = true;
    queueMicrotask(() => {
      this.#bringing = false;
      const c = this.#client;
      if (!c || this.#connection.state === CLOSED) return;
      const added = [...this.#held.keys()].filter((ch) => !this.#asked.has(ch));
      const gone = [...this.#asked].filter((ch) => !this.#held.has(ch));
      if (added.length && this.#o.lastEventId) return this.#begin();
      this.#asked = new Set(this.#held.keys());
      if (added.length) c.join(...added).catch((error) => this.#trouble(c, error));
      if (gone.length) c.leave(...gone).catch((error) => this.#trouble(c, error));
    });
  }

  /** A channel that can't be had is like a stream that can't: it is said, and what was there goes on. */
  #trouble(c: Client, error: unknown): void {
    if (this.#client !== c) return;
    this.#asked = new Set(c.channels);
    this.#set({ state: c.readyState, error });
  }
}

export { CLOSED, CONNECTING, OPEN };
export type { Handler, Member, Message, Receipt };
