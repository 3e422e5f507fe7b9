/** A message, as the server gives it to everyone. */
export interface Said {
  from: string; // user id
  name: string;
  text: string;
  ref: string; // the sender's own name for it
  at: number; // ms since 1970; 0: unknown
  to?: string; // user id, of a private one
  toName?: string;
}

/** What a room shows: messages, and where some are missing. Each has its position in the log. */
export type Line = ({ kind: "said"; id: string } & Said) | { kind: "gap"; id: string };

/** What is written here and was not heard back yet. */
export interface Pending {
  ref: string;
  room: string;
  text: string;
  at: number;
  sent: boolean; // the server has it
  why: string; // it was refused
}

/** Rooms are channels, "#general", and users, "@4f2a…". */
export interface Chat {
  me: string; // user id; empty until the server says it
  lines: Readonly<Record<string, readonly Line[]>>;
  names: Readonly<Record<string, string>>; // of users in conversations
  pending: readonly Pending[];
}

export type Action =
  | { type: "me"; user: string }
  | { type: "said"; id: string; channel: string; said: Said }
  | { type: "gap"; id: string }
  | { type: "write"; pending: Pending }
  | { type: "sent"; ref: string }
  | { type: "refused"; ref: string; why: string }
  | { type: "again"; ref?: string }
  | { type: "discard"; ref: string };

export const nothing: Chat = { me: "", lines: {}, names: {}, pending: [] };

const mostLines = 500; // of a room
const mostTalks = 100; // conversations with users

export function reduce(chat: Chat, a: Action): Chat {
  switch (a.type) {
    case "me":
      return { ...chat, me: a.user };
    case "said":
      return hear(chat, a.id, a.channel, a.said);
    case "gap": {
      const lines: Record<string, readonly Line[]> = {};
      for (const [room, all] of Object.entries(chat.lines)) lines[room] = add(all, { kind: "gap", id: a.id || all.at(-1)!.id });
      return { ...chat, lines };
    }
    case "write":
      return { ...chat, pending: [...chat.pending, a.pending] };
    case "sent":
      return change(chat, a.ref, { sent: true });
    case "refused":
      return change(chat, a.ref, { why: a.why });
    case "again":
      return a.ref ? change(chat, a.ref, { why: "" }) : { ...chat, pending: [...chat.pending] };
    case "discard":
      return { ...chat, pending: chat.pending.filter((p) => p.ref !== a.ref) };
  }
}

/** Takes a message, once, and takes it for the one that was written here if it is that. */
function hear(chat: Chat, id: string, channel: string, said: Said): Chat {
  const own = said.from === chat.me;
  const other = own ? said.to! : said.from;
  const room = channel ? "#" + channel : "@" + other;
  const before = chat.lines[room] ?? [];
  if (!before.length && !channel && Object.keys(chat.names).length >= mostTalks) return chat;
  const after = add(before, { ...said, kind: "said", id });
  const name = own ? said.toName : said.name;
  const left = own ? chat.pending.filter((p) => p.ref !== said.ref) : chat.pending;
  return {
    ...chat,
    lines: after === before ? chat.lines : { ...chat.lines, [room]: after },
    names: channel || !name ? chat.names : { ...chat.names, [other]: name },
    pending: left.length === chat.pending.length ? chat.pending : left,
  };
}

/** Puts a line in its place, which is nearly always the end; one that is there already changes nothing. */
function add(lines: readonly Line[], line: Line): readonly Line[] {
  let at = lines.length;
  while (at && +lines[at - 1]!.id > +line.id) at--;
  for (let i = at - 1; i >= 0 && lines[i]!.id === line.id; i--) if (lines[i]!.kind === line.kind) return lines;
  return [...lines.slice(0, at), line, ...lines.slice(at)].slice(-mostLines);
}

function change(chat: Chat, ref: string, to: Partial<Pending>): Chat {
  return { ...chat, pending: chat.pending.map((p) => (p.ref === ref ? { ...p, ...to } : p)) };
}

/** How many messages of others are newer than the position that was seen. */
export function unread(chat: Chat, room: string, seen: string | undefined): number {
  const lines = chat.lines[room] ?? [];
  return lines.filter((l) => l.kind === "said" && l.from !== chat.me && +l.id > +(seen ?? 0)).length;
}
