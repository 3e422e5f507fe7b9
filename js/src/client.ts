import { Connection, without } from "./connection.js";
import { Dispatcher, parse, type Handler } from "./dispatch.js";
import type { Gap, Member, Message, Options, Receipt } from "./options.js";
import type { StreamEvent } from "./parser.js";
import { Rooms } from "./rooms.js";
import { Share, type Tab } from "./share.js";
import { CLOSED, CONNECTING, OPEN, type ReadyState } from "./stream.js";

/** A subscriber of one hub. It is made by {@link connect}. */
export class Client {
  /** The URL of the stream. */
  readonly url: string;
  /** Who the server says this is, once a stream was open. It takes Options.presence. */
  me: Omit<Member, "channel"> | undefined;

  #o: Options;
  #c: Connection;
  #tab: Tab;
  #link: Connection | Share;
  #dispatcher: Dispatcher;
  #rooms: Rooms;
  #next: string[] | undefined; // while a change is under way
  #state: ReadyState = CONNECTING;
  #stored: string; // where sessionStorage has the cursor; empty: nowhere
  #turn: Promise<unknown> = Promise.resolve(); // the last change of channels

  constructor(url: string | URL, o: Options = {}) {
    this.#o = o = { ...o };
    this.#dispatcher = new Dispatcher((e) => this.#trouble(e));
    this.#rooms = new Rooms(o.maxMembers || 10_000);
    this.#tab = {
      want: [], cursor: "",
      take: (e) => this.#take(e),
      change: (state, error) => this.#changed(state, error),
    };
    const c = (this.#c = new Connection(url, o, this.#tab));
    this.url = c.url;
    const name = (channels: string[]) => JSON.stringify(["stentor", o.share, c.address("", channels)]);
    this.#tab.want = c.want;
    this.#stored = o.forget || typeof document === "undefined" ? "" : name([...c.want].sort());
    c.cursor = this.#tab.cursor = o.lastEventId || this.#session((s) => s.getItem(this.#stored)) || "";
    const shared = o.share && typeof BroadcastChannel === "function" && globalThis.navigator?.locks;
    this.#link = shared ? new Share(name([]), c, this.#tab) : c;
    queueMicrotask(() => this.#state === CLOSED || this.#link.start()); // handlers first
  }

  /** The state of the connection, by the numbers of EventSource. */
  get readyState(): ReadyState {
    return this.#state;
  }

  /** The position of the newest message. */
  get lastEventId(): string {
    return this.#tab.cursor;
  }

  /** The channels that this client is on, or will be when it connects. */
  get channels(): string[] {
    return [...this.#tab.want];
  }

  /**
   * Has f called with each message of a type, in the order of the stream, and returns what takes it off. A type is that
   * of the messages; "message" for those without one; "tv.*" for each that begins with "tv." and has no handler of its
   * own; "*" for each that has none at all. "gap" says that messages are missing here, and only the server can say it;
   * so it is with "stentor.open", "stentor.state", "stentor.end", "stentor.join", "stentor.leave" and "stentor.update". With
   * "stentor.members" the client itself says that the list of event.channel has been loaded.
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
   * Adds channels, to the open stream if there is one and to each that follows. After an error nothing has changed. Where tabs
   * share the connection, it waits for that to be open.
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
    return this.#c.call("POST", "publish", m);
  }

  /** Connects anew at once, without losing the place: with another token, say. */
  restart(): void {
    this.#link.restart();
  }

  /** Ends it for good, and forgets the place. */
  close(): void {
    this.#link.stop();
    this.#changed(CLOSED);
    this.#session((s) => s.removeItem(this.#stored));
    this.#stored = "";
  }

  #changed(state: ReadyState, error?: unknown): void {
    if (state === this.#state && error === undefined) return;
    this.#state = state;
    try {
      this.#o.change?.(state, error);
    } catch (e) {
      this.#trouble(e);
    }
  }

  /** Does with an event what is to be done, and then calls its handlers. */
  #take(e: StreamEvent): void {
    const tab = this.#tab;
    const own = /^stentor\.(.*)/.exec(e.type)?.[1] ?? ""; // the server's word
    const said = own ? parse(e.data) as any : {};
    if (own === "open") {
      tab.cursor ||= e.id;
      this.me = said.member;
    } else if (e.id) {
      // Positions only grow, unless the server doesn't know ours.
      if (+e.id <= +tab.cursor && !/ahead|unknown/.test(said.reason)) return; // seen
      tab.cursor = e.id;
    }
    if (e.id) this.#session((s) => s.setItem(this.#stored, tab.cursor));
    const channel = e.channel || said.channel;
    if (channel && this.#link instanceof Share && !tab.want.concat(this.#next ?? []).includes(channel)) return; // another tab's
    if (/open|gap/.test(own)) this.#reload(tab.want); // joins and leaves may be among what was missed
    if (/join|leave|update/.test(own) && tab.want.includes(channel)) this.#rooms.tell(own === "leave", said);
    this.#dispatcher.dispatch(e);
    if (own === "end" && said.reason === "replaced") {
      this.#link.stop(); // coming back would end the newer one
      this.#changed(CLOSED, new Error("stentor: give each stream its own key"));
    }
  }

  /** One change after the other, each whole or not at all. */
  #change(join: string[], leave: string[]): Promise<void> {
    const done = this.#turn.then(async () => {
      const before = this.#tab.want;
      const after = (this.#next = [...new Set([...without(before, leave), ...join])]);
      try {
        await this.#link.change(after);
        this.#tab.want = after;
      } finally {
        this.#next = undefined;
      }
      this.#rooms.keep(after);
      if (this.#state === OPEN) this.#reload(without(after, before));
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  #reload(channels: string[]): void {
    if (!this.#o.presence) return;
    for (const channel of channels) {
      this.#rooms.load(channel, this.#c.call("GET", "presence", null, [channel]))
        .then(() => this.#dispatcher.dispatch({ id: "", type: "stentor.members", channel, data: "" })).catch((e) => this.#trouble(e));
    }
  }

  #session<T>(f: (s: Storage) => T): T | undefined {
    try {
      if (this.#stored) return f(sessionStorage);
    } catch {} // a browser may not let it
    return;
  }

  #trouble(error: unknown): void {
    queueMicrotask(() => {
      if (!this.#o.error) throw error;
      this.#o.error(error);
    });
  }
}
