import { CLOSED, CONNECTING, OPEN, Stream, type ReadyState } from "./stream.js";

/** What {@link Source} is made with. */
export interface SourceOptions {
  /** Sent with each attempt; a function is called for each. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
  /** As EventSource's: cookies go to other origins too. */
  withCredentials?: boolean;
  /** The id to go on after. */
  lastEventId?: string;
  /** How long a stream may be silent, in ms. Zero means 45 000; negative means no limit. */
  idleTimeout?: number;
  /** The most characters of one event. Zero means 16 Mi. */
  maxEventSize?: number;
  /** Sends the requests, in place of the global fetch. */
  fetch?: typeof fetch;
}

/**
 * EventSource over fetch: the same events, states and format, for any server. Beyond it, it comes back from 5xx,
 * 429 and 408, waits longer after each failure, at random, takes headers, and doesn't trust a connection that is
 * silent. The `error` of an error event says what went wrong.
 */
export class Source extends EventTarget {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSED = CLOSED;

  readonly url: string;
  readonly withCredentials: boolean;
  onopen: ((e: Event) => void) | null = null;
  onmessage: ((e: MessageEvent<string>) => void) | null = null;
  onerror: ((e: Event & { error?: unknown }) => void) | null = null;
  #stream: Stream;

  constructor(url: string | URL, o: SourceOptions = {}) {
    super();
    const at = absolute(url);
    this.url = at.href;
    this.withCredentials = !!o.withCredentials;
    this.#stream = new Stream({
      ...o,
      request: async () => [this.url, {
        headers: (typeof o.headers === "function" ? await o.headers() : o.headers) ?? {},
        credentials: this.withCredentials ? "include" : "same-origin",
      }],
      token: typeof o.headers === "function",
      take: (e) => this.#fire(new MessageEvent(e.type || "message", {
        data: e.data, lastEventId: this.#stream.cursor, origin: at.origin,
      })),
      change: (state, error) => {
        if (state === OPEN) this.#fire(new Event("open"));
        else if (error !== undefined) this.#fire(Object.assign(new Event("error"), { error }));
      },
    });
    this.#stream.cursor = o.lastEventId ?? "";
    queueMicrotask(() => this.#stream.state === CLOSED || this.#stream.start());
  }

  get readyState(): ReadyState {
    return this.#stream.state;
  }

  /** Ends it for good. */
  close(): void {
    this.#stream.stop();
  }

  #fire(e: Event): void {
    const on = this[("on" + e.type) as "onopen"];
    if (on) this.addEventListener(e.type, on, { once: true });
    this.dispatchEvent(e);
    if (on) this.removeEventListener(e.type, on);
  }
}

/** A URL as the page sees it. */
export function absolute(url: string | URL): URL {
  return new URL(url, globalThis.document?.baseURI);
}
