import { createContext, use, useEffect, useEffectEvent, useState, useSyncExternalStore, type ReactNode } from "react";
import type { Options } from "stentor-client";
import { Hub, type Connection, type Handler, type Member } from "./hub.js";

const Context = createContext<Hub | null>(null);

/**
 * Connects its tree to a hub, once, while it is mounted. The URL and the options are those of its first rendering; for
 * others give it another key. It connects after its children's effects, so that their handlers and channels are in place.
 */
export function HubProvider({ url, options, children }: { url: string; options: Options; children: ReactNode }) {
  const [hub] = useState(() => new Hub(url, options));
  useEffect(() => hub.open(), [hub]);
  return <Context value={hub}>{children}</Context>;
}

/** The hub of the tree, to publish with. */
export function useHub(): Hub {
  const hub = use(Context);
  if (!hub) throw new Error("useHub: there is no HubProvider around this component");
  return hub;
}

/** How the connection is. */
export function useConnection(): Connection {
  const hub = useHub();
  return useSyncExternalStore(hub.watch, hub.connection);
}

/** Is on channels while it is mounted. The same list has to be the same array. */
export function useChannels(channels: readonly string[]): void {
  const hub = useHub();
  useEffect(() => hub.enter(...channels), [hub, channels]);
}

/** Has f called with each message of a type, by what f is at that time. */
export function useHandler<T>(type: string, f: Handler<T>): void {
  const hub = useHub();
  const call: Handler<T> = useEffectEvent(f);
  useEffect(() => hub.on<T>(type, (data, event) => call(data, event)), [hub, type]);
}

/** Who is on a channel that this or another component is on, those who came first in front. */
export function useMembers(channel: string): readonly Member[] {
  const hub = useHub();
  const [members, setMembers] = useState<readonly Member[]>([]);
  useEffect(() => {
    const read = () => setMembers((before) => {
      const now = hub.members(channel);
      return now.length === before.length && now.every((m, i) => m === before[i]) ? before : now;
    });
    const offs = ["stentor.members", "stentor.join", "stentor.leave", "stentor.update"].map((type) => hub.on(type, read));
    read();
    return () => offs.forEach((off) => off());
  }, [hub, channel]);
  return members;
}
