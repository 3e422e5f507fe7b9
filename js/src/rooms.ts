import type { Member } from "./options.js";

type Notice = [left: boolean, m: Member];

interface Room {
  members: Map<string, Member>;
  loading: number; // lists that are on their way
  since: Notice[]; // what was told while one was
}

/** Who is on which channel, by what the server lists and tells. */
export class Rooms {
  #rooms = new Map<string, Room>();

  constructor(private readonly most: number) {}

  /** Those who came first in front. */
  list(channel: string): Member[] {
    return [...(this.#rooms.get(channel)?.members.values() ?? [])];
  }

  /** Forgets what isn't wanted any more. */
  keep(channels: string[]): void {
    for (const channel of this.#rooms.keys()) if (!channels.includes(channel)) this.#rooms.delete(channel);
  }

  tell(left: boolean, m: Member): void {
    const room = this.#room(m.channel);
    this.#apply(room, [left, m]);
    if (room.loading && room.since.length < this.most) room.since.push([left, m]);
  }

  /**
   * Takes a list. What is told while it is on its way may be in it or not: it is done to the list
   * once more, and to join or leave twice is the same as once.
   */
  async load(channel: string, list: Promise<{ members: Member[] }>): Promise<void> {
    const room = this.#room(channel);
    room.loading++;
    const from = room.since.length;
    try {
      const { members } = await list;
      room.members.clear();
      for (const m of members) this.#apply(room, [false, { ...m, channel }]);
      for (const n of room.since.slice(from)) this.#apply(room, n);
    } finally {
      if (!--room.loading) room.since = [];
    }
  }

  #room(channel: string): Room {
    let room = this.#rooms.get(channel);
    if (!room) this.#rooms.set(channel, (room = { members: new Map(), loading: 0, since: [] }));
    return room;
  }

  #apply({ members }: Room, [left, m]: Notice): void {
    if (left) members.delete(m.user);
    else if (members.has(m.user) || members.size < this.most) members.set(m.user, m);
  }
}
