import { Dispatcher, parse, type Handler } from "./dispatch.js";
import type { Gap, Member, Message, Options, Receipt } from "./options.js";
import type { StreamEvent } from "./parser.js";
import { Rooms } from "./rooms.js";
import { Share } from "./share.js";
import { absolute } from "./source.js";
import { CLOSED, CONNECTING, OPEN, Refusal, Stream, type ReadyState, type StreamOptions } from "./stream.js";

/** A subscriber of one hub. It is made by {@link connect}. */
export class Client {
  /** The URL of the stream. */
  readonly url: string;

  #o: Options;
  #link: Stream | Share;
  #dispatcher: Dispatcher;
  #rooms: Rooms;
  #want: string[];
  #asked: string[] = []; // those of the stream, or of the request for it
  #id = ""; // the subscription's; empty while there is none
  #state: ReadyState = CONNECTING;
  #cursor = "";
  #stored: string; // where sessionStorage has the cursor; empty: nowhere
  #storing = false;
  #turn: Promise<unknown> = Promise.resolve(); // the last change of channels
  #changes = new Set<() => void>(); // who waits for another state

  constructor(url: string | URL, o: Options = {}) {
    this.#o = { ...o };
    this.url = absolute(url).href;
    this.#want = [...new Set(o.channels)];
    this.#dispatcher = new Dispatcher((e) => this.#trouble(e));
    this.#rooms = new Rooms(o.maxMembers || 10_000);
    const name = JSON.stringify(["stentor", o.share, this.#address(this.url, [...this.#want].sort())]);
    this.#stored = o.forget || typeof document === "undefined" ? "" : name;
    this.#cursor = o.lastEventId || this.#recall();
    const shared = o.share && typeof BroadcastChannel === "function" && globalThis.navigator?.locks;
    this.#link = shared ? new Share(name, {
      open: (hooks) => this.#stream(hooks),
      cursor: () => this.#cursor,
      take: (e) => this.#take(e),
      adopt: (cursor) => (this.#cursor ||= cursor),
      change: (state, error) => this.#changed(state, error),
    }) : this.#own();
    queueMicrotask(() => this.#state === CLOSED || this.#link.start()); // handlers first
  }

  /** The state of the connection, by the numbers of EventSource. */
  get readyState(): ReadyState {
    return this.#state;
  }

  /** The position of the newest message. */
  get lastEventId(): string {
    return this.#cursor;
  }

  /** The channels that this client is on, or will be when it connects. */
  get channels(): string[] {
    return [...this.#want];
  }

  /**
   * Has f called with each message of a type, in the order of the stream, and returns what takes it off. A type is that
   * of the messages; "message" for those without one; "tv.*" for each that begins with "tv." and has no handler of its
   * own; "*" for each that has none at all. "gap" says that messages are missing here, and only the server can say it;
   * so it is with "stentor.open", "stentor.end", "stentor.join", "stentor.leave" and "stentor.update".
   */
  on(type: "gap", f: Handler<Gap>): () => void;
  on<T = any>(type: string, f: Handler<T>): () => void;
  on(type: string, f: Handler): () => void {
    return this.#dispatcher.on(type, f);
  }

  /** Has the methods of an object called: a message of type "tv.watch" calls the method watch of receiver "tv". */
  receive(name: string, receiver: object): () => void {
    return this.#dispatcher.receive(name, receiver);
  }

  /**
   * Adds channels, to the open stream if there is one and to each that follows. After an error nothing has changed. A tab
   * that shares its connection has one of its own from then on.
   */
  join(...channels: string[]): Promise<void> {
    return this.#change(channels, []);
  }

  /** Takes channels away; as join. */
  leave(...channels: string[]): Promise<void> {
    return this.#change([], channels);
  }

  /** Who is on a channel, those who came first in front. It takes Options.presence. */
  members(channel: string): Member[] {
    return this.#rooms.list(channel);
  }

  /** Publishes a message, if the server lets this one. It is not sent a second time by itself. */
  publish(m: Message): Promise<Receipt> {
    return this.#call("POST", "publish", [], m);
  }

  /** Connects anew at once, without losing the place: with another token, say. */
  restart(): void {
    this.#link.restart();
  }

  /** Ends it for good, and forgets the place. */
  close(): void {
    this.#link.stop();
    this.#changed(CLOSED);
    if (this.#stored) attempt(() => sessionStorage.removeItem(this.#stored));
    this.#stored = "";
  }

  #own(): Stream {
    return this.#stream({ take: (e) => this.#take(e), change: (state, error) => this.#changed(state, error) });
  }

  #stream(hooks: Pick<StreamOptions, "take" | "change" | "heard">): Stream {
    const o = this.#o;
    const stream = new Stream({
      ...hooks,
      request: async (after) => {
        const asked = (this.#asked = this.#want);
        return [this.#address(this.url, asked), await this.#init((after as Partial<Refusal> | undefined)?.status === 401)];
      },
      renews: !!o.token, fetch: o.fetch, idleTimeout: o.idleTimeout, maxEventSize: o.maxEventSize,
    });
    stream.cursor = this.#cursor;
    return stream;
  }

  /** A URL with what to subscribe to and who this is. */
  #address(url: string, channels: string[]): string {
    const o = this.#o;
    const at = new URL(url);
    for (const c of channels) at.searchParams.append("channel", c);
    for (const name of ["user", "session", "key"] as const) if (o[name]) at.searchParams.set(name, o[name]);
    if (o.presence) at.searchParams.set("presence", "true");
    return at.href;
  }

  async #init(renew: boolean): Promise<RequestInit> {
    const { headers, token, credentials = "same-origin" } = this.#o;
    return { credentials, headers: { ...headers, ...(token && { Authorization: "Bearer " + (await token(renew)) }) } };
  }

  #changed(state: ReadyState, error?: unknown): void {
    if (state !== OPEN) this.#id = "";
    if (state === this.#state && error === undefined) return;
    this.#state = state;
    this.#changes.forEach((f) => f());
    if (state === OPEN) this.#reload(this.#want);
    attempt(() => this.#o.change?.(state, error), (e) => this.#trouble(e));
  }

  /** Does with an event what is to be done, and then calls its handlers. False: it was here before. */
  #take(e: StreamEvent): boolean {
    const control = (e.type.startsWith("stentor.") && parse(e.data) as any) || {};
    if (e.type === "stentor.open") {
      this.#cursor ||= e.id;
      this.#store();
      if (!this.#opened(control.subscription)) return true;
    } else if (e.id) {
      // Positions only grow, unless the server doesn't know ours.
      const anew = e.type === "stentor.gap" && /^(ahead|unknown)$/.test(control.reason);
      if (!anew && +e.id <= +this.#cursor) return false; // seen
      this.#cursor = e.id;
      this.#store();
    }
    if (e.type === "stentor.gap") this.#reload(this.#want); // joins and leaves may be among what is missing
    if (/^stentor\.(join|leave|update)$/.test(e.type) && this.#want.includes(control.channel)) {
      this.#rooms.tell(e.type === "stentor.leave", control);
    }
    this.#dispatcher.dispatch(e);
    if (e.type === "stentor.end" && control.reason === "replaced") {
      this.#link.stop(); // coming back would end the newer one
      this.#changed(CLOSED, new Error("stentor: a newer stream has this one's key; give each its own"));
    }
    return true;
  }

  /** Takes over the subscription's id. Where the channels have changed meanwhile, another request has to be made. */
  #opened(id: string): boolean {
    if (this.#asked !== this.#want && this.#link instanceof Stream) {
      this.#link.restart();
      return false;
    }
    this.#id = id;
    this.#changes.forEach((f) => f());
    return true;
  }

  /** One change after the other, each whole or not at all. */
  #change(join: string[], leave: string[]): Promise<void> {
    const done = this.#turn.then(() => this.#changeNow(join, leave));
    this.#turn = done.catch(() => {});
    return done;
  }

  async #changeNow(join: string[], leave: string[]): Promise<void> {
    const before = this.#want;
    const after = [...new Set([...before.filter((c) => !leave.includes(c)), ...join])];
    const added = without(after, before), gone = without(before, after);
    if (!added.length && !gone.length) return;
    if (this.#link instanceof Share) await this.#part();
    const id = this.#id;
    if (id) {
      try {
        await this.#call("POST", "subscriptions/" + id, [], { join: added, leave: gone });
      } catch (error) {
        const refused = error instanceof Refusal;
        if (!refused) this.restart(); // nobody knows if the server has done it: it is asked for all anew
        if (!refused || error.status !== 404) throw error; // 404: it is over, and the next begins with what is wanted
      }
    }
    const same = id && this.#id === id;
    if (same) this.#asked = after;
    this.#want = after;
    this.#rooms.keep(after);
    if (same) this.#reload(added);
    else if (this.#id) this.restart(); // a stream with the channels of before has begun meanwhile
  }

  /** Goes on with a stream of its own, and waits until it is open or can't be. */
  #part(): Promise<void> {
    this.#link.stop();
    this.#link = this.#own();
    this.#changed(CONNECTING);
    return new Promise((done) => {
      const look = () => {
        if (this.#state === CONNECTING && timer || this.#state === OPEN && !this.#id && timer) return;
        this.#changes.delete(look);
        clearTimeout(timer);
        done();
      };
      let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(() => {
        timer = undefined;
        look();
      }, this.#o.callTimeout! > 0 ? this.#o.callTimeout : 10_000);
      this.#changes.add(look);
      this.#link.start();
    });
  }

  #reload(channels: string[]): void {
    if (!this.#o.presence) return;
    for (const channel of channels) {
      const list = this.#call<{ members: Member[] }>("GET", "presence", [channel]).then((a) => a.members);
      this.#rooms.load(channel, list).catch((e) => this.#trouble(e));
    }
  }

  /** One request that is no stream, and once more with a new token where that was refused. */
  async #call<T>(method: string, path: string, channels: string[], body?: unknown): Promise<T> {
    const { token, callTimeout = 0 } = this.#o;
    const url = this.#address(new URL(path, this.url).href, channels);
    for (let renew = false; ; renew = true) {
      const init = await this.#init(renew);
      if (body) {
        init.body = JSON.stringify(body);
        init.headers = { ...init.headers, "Content-Type": "application/json" };
      }
      if (callTimeout >= 0) init.signal = AbortSignal.timeout(callTimeout || 10_000);
      const r = await (this.#o.fetch ?? fetch)(url, { method, ...init });
      if (r.ok) return r.json() as Promise<T>;
      if (r.status !== 401 || !token || renew) throw await Refusal.of(r);
    }
  }

  /** Keeps the place for a page that is loaded again, once for all that came together. */
  #store(): void {
    if (!this.#stored || this.#storing) return;
    this.#storing = true;
    queueMicrotask(() => {
      this.#storing = false;
      if (this.#stored) attempt(() => sessionStorage.setItem(this.#stored, this.#cursor));
    });
  }

  #recall(): string {
    let kept: string | null = "";
    if (this.#stored) attempt(() => (kept = sessionStorage.getItem(this.#stored)));
    return kept ?? "";
  }

  #trouble(error: unknown): void {
    if (this.#o.error) this.#o.error(error);
    else queueMicrotask(() => {
      throw error;
    });
  }
}

/** What may fail, and may not stop what comes after. */
function attempt(f: () => void, failed?: (error: unknown) => void): void {
  try {
    f();
  } catch (error) {
    failed?.(error);
  }
}

/** The list a without what b has. */
function without(a: string[], b: string[]): string[] {
  return a.filter((c) => !b.includes(c));
}
