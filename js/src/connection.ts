import { parse } from "./dispatch.js";
import type { Options } from "./options.js";
import type { StreamEvent } from "./parser.js";
import { absolute } from "./source.js";
import { OPEN, Refusal, Stream, type ReadyState } from "./stream.js";

/** Who hears what a connection says. */
export interface Hearer {
  take(e: StreamEvent): void;
  change(state: ReadyState, error?: unknown): void;
  heard?(): void;
}

/** A hub, as one who has these options asks it: its stream, on channels that change while it is open, and the other requests. */
export class Connection extends Stream {
  readonly url: string;
  /** The channels. Whoever sets them while it is open has to have it begin anew. */
  want: string[];
  /** What the running request asked for, and after which position. */
  asked: string[] = [];
  after = "";

  #o: Options;
  #id = "";
  #left: string[] = []; // while it was away: the server may not know

  constructor(url: string | URL, o: Options, public hearer: Hearer) {
    super({
      ...o,
      request: async (ended) => {
        this.#id = "";
        this.after = this.cursor;
        return [this.address("", (this.asked = this.want)), await this.#init((ended as Partial<Refusal> | undefined)?.status === 401)];
      },
      take: (e) => {
        if (e.type === "stentor.open") {
          if (this.asked !== this.want) return this.restart(); // they have changed meanwhile
          this.#id = (parse(e.data) as any).subscription;
          const leave = without(this.#left, this.want);
          if (leave.length) this.call("POST", "subscriptions/" + this.#id, { leave }).then(() => (this.#left = [])).catch(() => {});
        }
        this.hearer.take(e);
      },
      change: (state, error) => this.hearer.change(state, error),
      heard: () => this.hearer.heard?.(),
    });
    this.#o = o;
    this.url = absolute(url).href;
    this.want = [...new Set(o.channels)];
  }

  /** The subscription's; empty while there is none. */
  get id(): string {
    return this.state === OPEN ? this.#id : "";
  }

  /** Goes over to other channels, whole or not at all; one change at a time. Nothing, if there is nothing to change. */
  change(after: string[]): Promise<void> | undefined {
    const join = without(after, this.want), leave = without(this.want, after);
    return join.length || leave.length ? this.#change(after, { join, leave }) : undefined;
  }

  async #change(after: string[], body: { join: string[]; leave: string[] }): Promise<void> {
    const { id } = this;
    if (!id) this.#left.push(...body.leave);
    else {
      try {
        await this.call("POST", "subscriptions/" + id, body);
      } catch (error) {
        const refused = error instanceof Refusal;
        if (!refused) this.restart(); // nobody knows if the server has done it: it is asked for all anew
        if (!refused || error.status !== 404) throw error; // 404: it is over, and the next begins with what is wanted
      }
    }
    this.want = after;
    if (this.id && this.id !== id) this.restart(); // a stream with the channels of before has begun meanwhile
  }

  /** A URL with what it is about and who this is. The path is seen from the stream's, which is the empty one. */
  address(path: string, channels: string[]): string {
    const at = new URL(path, this.url);
    for (const c of channels) at.searchParams.append("channel", c);
    for (const name of ["user", "session", "key", "presence"] as const) {
      if (this.#o[name]) at.searchParams.set(name, "" + this.#o[name]);
    }
    if (!path) at.searchParams.set("named", "true"); // messages say their channel
    return at.href;
  }

  async #init(renew: boolean): Promise<RequestInit> {
    const { headers, token, credentials = "same-origin" } = this.#o;
    return { credentials, headers: { ...headers, ...(token && { Authorization: "Bearer " + (await token(renew)) }) } };
  }

  /** One request that is no stream, and once more with a new token where that was refused. */
  async call<T>(method: string, path: string, body?: unknown, channels: string[] = []): Promise<T> {
    const { token, callTimeout = 0 } = this.#o;
    for (let renew = false; ; renew = true) {
      const init = await this.#init(renew);
      if (body) {
        init.body = JSON.stringify(body);
        init.headers = { ...init.headers, "Content-Type": "application/json" };
      }
      if (callTimeout >= 0) init.signal = AbortSignal.timeout(callTimeout || 10_000);
      const r = await (this.#o.fetch ?? fetch)(this.address(path, channels), { method, ...init });
      if (r.ok) return r.json() as Promise<T>;
      if (r.status !== 401 || !token || renew) throw await Refusal.of(r);
    }
  }
}

/** The list a without what b has. */
export function without(a: string[], b: string[]): string[] {
  return a.filter((c) => !b.includes(c));
}
