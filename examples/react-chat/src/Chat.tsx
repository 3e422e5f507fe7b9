import { useEffect, useEffectEvent, useState } from "react";
import { unread } from "./state.js";
import { Composer } from "./Composer.js";
import { useChannels, useConnection } from "./hooks.js";
import { CONNECTING } from "./hub.js";
import { useKept } from "./identity.js";
import { Log } from "./Log.js";
import { Sidebar, type Room } from "./Sidebar.js";
import { useChat } from "./useChat.js";
import { Writing } from "./Writing.js";

const first = ["general", "random", "help"];
const mostChannels = 20; // the server lets nobody be on more than 32
const mostSeen = 200; // rooms of which this browser keeps what was seen
const channelName = /^[\p{Ll}\p{Lo}\p{N}_-]{1,32}$/u; // as the server wants them

/** The whole chat of somebody who has a name. */
export function Chat({ name, onLeave }: { name: string; onLeave: () => void }) {
  const [channels, setChannels] = useKept<readonly string[]>("channels", first);
  useChannels(channels);
  const { chat, write, tell, again, discard } = useChat();
  const [seen, setSeen] = useKept<Readonly<Record<string, string>>>("seen", {});
  const [wanted, setRoom] = useState("#" + channels[0]);
  const [opened, setOpened] = useState<Readonly<Record<string, string>>>({}); // conversations without a message yet: names
  const [menu, setMenu] = useState(false);

  const talks = { ...opened, ...chat.names };
  const rooms: Room[] = [
    ...channels.map((c) => ({ id: "#" + c, title: c, unread: unread(chat, "#" + c, seen["#" + c]) })),
    ...Object.entries(talks).map(([user, title]) => ({ id: "@" + user, title, unread: unread(chat, "@" + user, seen["@" + user]) })),
  ];
  const room = rooms.find((r) => r.id === wanted) ?? rooms[0]!;
  const lines = chat.lines[room.id] ?? [];

  // What is in view has been seen.
  const visible = useVisible();
  const last = lines.at(-1)?.id;
  const see = useEffectEvent((id: string, position: string) => {
    const { [id]: _, ...others } = seen;
    setSeen(Object.fromEntries([...Object.entries(others), [id, position] as const].slice(-mostSeen)));
  });
  useEffect(() => {
    if (visible && last && last !== seen[room.id]) see(room.id, last);
  }, [visible, last, room.id, seen]);

  const waiting = rooms.reduce((sum, r) => sum + r.unread, 0);
  useEffect(() => {
    document.title = (waiting ? `(${waiting}) ` : "") + room.title + " · React chat";
  }, [waiting, room.title]);

  const go = (id: string) => {
    setRoom(id);
    setMenu(false);
  };
  const join = (channel: string): string => {
    if (!channelName.test(channel)) return "1 to 32 small letters, digits, - and _";
    if (!channels.includes(channel)) {
      if (channels.length >= mostChannels) return "Leave another channel first";
      setChannels([...channels, channel]);
    }
    go("#" + channel);
    return "";
  };
  const leave = (channel: string) => {
    setChannels(channels.filter((c) => c !== channel));
    go("#" + channels.find((c) => c !== channel));
  };
  const talk = (user: string, title: string) => {
    setOpened({ ...opened, [user]: title });
    go("@" + user);
  };
  useKeys((step) => {
    const at = rooms.findIndex((r) => r.id === room.id);
    go(rooms[(at + step + rooms.length) % rooms.length]!.id);
  }, () => setMenu(false));

  return (
    <div className="chat" data-menu={menu}>
      <Sidebar rooms={rooms} room={room.id} me={chat.me} name={name} people={channels[0]!} onGo={go} onJoin={join} onTalk={talk} onRename={onLeave} />
      <button className="shade" aria-label="Close the list of rooms" tabIndex={-1} onClick={() => setMenu(false)} />
      <main>
        <header>
          <button className="menu" aria-label="Rooms and people" aria-expanded={menu} onClick={() => setMenu(!menu)}>
            <span aria-hidden="true">☰</span>
            {waiting > 0 && <b className="badge">{waiting}</b>}
          </button>
          <h1><span aria-hidden="true">{room.id[0]}</span>{room.title}</h1>
          <State />
          {room.id[0] === "#" && channels.length > 1 && <button onClick={() => leave(room.title)}>Leave</button>}
        </header>
        <Log key={room.id} room={room.id} lines={lines} pending={chat.pending} me={chat.me} name={name}
          onAgain={again} onDiscard={discard} onJoin={join} />
        <Writing key={room.id + " writing"} room={room.id} me={chat.me} />
        <Composer key={room.id + " composer"} room={room.id} title={room.title} onBegin={() => tell(room.id)} onWrite={(text) => write(room.id, text)} />
      </main>
    </div>
  );
}

/** Says how the connection is, to eyes and to screen readers, but not what lasts for a moment only. */
function State() {
  const { state } = useConnection();
  const lost = state === CONNECTING;
  return (
    <p className="state" role="status" data-lost={lost}>
      {lost ? "Connecting… What you write is sent when the connection is back." : <span>Connected</span>}
    </p>
  );
}

/** Whether the page can be seen. */
function useVisible(): boolean {
  const [visible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const look = () => setVisible(!document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return visible;
}

/** Alt and an arrow go to the next room, Escape closes the list. */
function useKeys(onStep: (by: number) => void, onEscape: () => void): void {
  const step = useEffectEvent(onStep), escape = useEffectEvent(onEscape);
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (e.key === "Escape") escape();
      if (!e.altKey || !/^Arrow(Up|Down)$/.test(e.key)) return;
      e.preventDefault();
      step(e.key === "ArrowUp" ? -1 : 1);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
