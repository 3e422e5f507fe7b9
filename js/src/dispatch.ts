import type { StreamEvent } from "./parser.js";

/** What is called with a message: its data, from JSON where it is that and else as it is, and the event. */
export type Handler<T = any> = (data: T, event: StreamEvent) => void;

/** Handlers and receivers, by type. */
export class Dispatcher {
  #handlers = new Map<string, Set<Handler>>();
  #receivers = new Map<string, object>();

  constructor(private readonly failed: (error: unknown) => void) {}

  on(type: string, f: Handler): () => void {
    let all = this.#handlers.get(type);
    if (!all) this.#handlers.set(type, (all = new Set()));
    const own = f.bind(null) as Handler; // the same function twice is two handlers
    all.add(own);
    return () => {
      all.delete(own);
      if (!all.size && this.#handlers.get(type) === all) this.#handlers.delete(type);
    };
  }

  receive(name: string, receiver: object): () => void {
    this.#receivers.set(name, receiver);
    return () => {
      if (this.#receivers.get(name) === receiver) this.#receivers.delete(name);
    };
  }

  dispatch(e: StreamEvent): void {
    const type = e.type || "message";
    const dot = type.indexOf(".");
    const name = dot < 0 ? "" : type.slice(0, dot);
    const own = name === "stentor";
    let all = type === "gap" ? undefined : this.#handlers.get(type === "stentor.gap" ? "gap" : type);
    const method = name && !own && this.#method(name, type.slice(dot + 1));
    if (!all && !method && !own) all = (name && this.#handlers.get(name + ".*")) || this.#handlers.get("*");
    if (!all && !method) return;
    const data = parse(e.data);
    for (const f of [...(all ?? []), method]) {
      try {
        if (f) f(data, e);
      } catch (error) {
        this.failed(error);
      }
    }
  }

  /** A method of a receiver. Types come from outside, so what every object has is none. */
  #method(name: string, method: string): Handler | undefined {
    const receiver = this.#receivers.get(name) as Record<string, unknown> | undefined;
    const f = receiver && !(method in Object.prototype) && receiver[method];
    return typeof f === "function" ? f.bind(receiver) : undefined;
  }
}

/** Data as handlers get it. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
