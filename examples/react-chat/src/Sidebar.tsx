import { useId, useState, type FormEvent } from "react";
import { useMembers } from "./hooks.js";
import { colour } from "./Text.js";

export interface Room {
  id: string; // "#general", or "@" and a user id
  title: string;
  unread: number;
}

interface Props {
  rooms: Room[];
  room: string;
  me: string;
  name: string;
  people: string; // the channel whose members are shown beside a conversation
  onGo: (room: string) => void;
  onJoin: (channel: string) => string; // what is wrong with it
  onTalk: (user: string, name: string) => void;
  onRename: () => void;
}

/** The rooms, and who is in the one that is shown. */
export function Sidebar({ rooms, room, me, name, people, onGo, onJoin, onTalk, onRename }: Props) {
  const channel = room[0] === "#" ? room.slice(1) : people;
  const members = useMembers(channel);
  return (
    <aside>
      <nav aria-label="Rooms">
        <h2>Channels</h2>
        <Rooms rooms={rooms.filter((r) => r.id[0] === "#")} room={room} onGo={onGo} />
        <Join onJoin={onJoin} />
        {rooms.some((r) => r.id[0] === "@") && <h2>Private</h2>}
        <Rooms rooms={rooms.filter((r) => r.id[0] === "@")} room={room} onGo={onGo} />
      </nav>
      <section aria-label={"People on " + channel}>
        <h2>On #{channel} <small>{members.length}</small></h2>
        <ul className="people">
          {members.map((m) => (
            <li key={m.user}>
              {m.user === me
                ? <span className="who" style={colour(m.user)}>{m.name} <small>you</small></span>
                : <button className="who" style={colour(m.user)} title={"Write to " + m.name + " alone"} onClick={() => onTalk(m.user, m.name)}>{m.name}</button>}
            </li>
          ))}
        </ul>
      </section>
      <footer>
        <span title={name}>{name}</span>
        <button onClick={onRename}>Change</button>
      </footer>
    </aside>
  );
}

function Rooms({ rooms, room, onGo }: { rooms: Room[]; room: string; onGo: (room: string) => void }) {
  return (
    <ul>
      {rooms.map((r) => (
        <li key={r.id}>
          <button aria-current={r.id === room ? "page" : undefined} onClick={() => onGo(r.id)}>
            <span aria-hidden="true">{r.id[0]}</span><span className="title">{r.title}</span>
            {r.unread > 0 && <b className="badge">{r.unread}<span className="aside"> unread</span></b>}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Another channel: it is made by joining it. */
function Join({ onJoin }: { onJoin: (channel: string) => string }) {
  const [channel, setChannel] = useState("");
  const [trouble, setTrouble] = useState("");
  const why = useId();
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const wrong = channel ? onJoin(channel) : "";
    setTrouble(wrong);
    if (!wrong) setChannel("");
  };
  return (
    <form onSubmit={submit} className="join">
      <input value={channel} onChange={(e) => setChannel(e.target.value.toLowerCase().replace(/^#|\s/g, ""))} placeholder="another channel"
        aria-label="Join another channel" aria-describedby={why} autoComplete="off" autoCapitalize="none" maxLength={32} />
      <button disabled={!channel}>Join</button>
      <p id={why} className="trouble" role="alert">{trouble}</p>
    </form>
  );
}
