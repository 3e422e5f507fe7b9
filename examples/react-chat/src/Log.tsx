import { useLayoutEffect, useRef, useState } from "react";
import type { Line, Pending } from "./state.js";
import { Text, colour } from "./Text.js";

interface Props {
  room: string;
  lines: readonly Line[];
  pending: readonly Pending[];
  me: string;
  name: string;
  onAgain: (ref: string) => void;
  onDiscard: (ref: string) => void;
  onJoin: (channel: string) => void;
}

/** What was said in a room. It stays at its end, unless somebody reads further up. */
export function Log({ room, lines, pending, me, name, onAgain, onDiscard, onJoin }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [end, setEnd] = useState(true);
  const own = pending.filter((p) => p.room === room);
  const written = own.length;
  useLayoutEffect(() => {
    if (end) box.current!.scrollTop = box.current!.scrollHeight;
  }, [end, lines, written]);
  useLayoutEffect(() => setEnd(true), [written]); // who writes wants to see it
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    setEnd(scrollHeight - scrollTop - clientHeight < 40);
  };
  return (
    <div className="log-frame">
      <div className="log" ref={box} onScroll={scrolled} role="log" aria-label="Messages" tabIndex={0}>
        {lines.length + written === 0 && <p className="empty">{room[0] === "#" ? "Nothing was said here yet. Begin!" : "Only the two of you read this."}</p>}
        {lines.map((line, i) => {
          if (line.kind === "gap") return <p key={"gap " + line.id} className="gap" role="separator">Messages are missing here</p>;
          const before = lines[i - 1];
          const goesOn = before?.kind === "said" && before.from === line.from && line.at - before.at < 300_000 && sameDay(before.at, line.at);
          return (
            <article key={line.id} className={line.from === me ? "own" : ""} data-goes-on={goesOn} style={colour(line.from)}>
              {!goesOn && <Head name={line.name} at={line.at} />}
              <Text text={line.text} onJoin={onJoin} />
            </article>
          );
        })}
        {own.map((p) => (
          <article key={p.ref} className="own pending" style={colour(me)}>
            <Head name={name} at={p.at} />
            <Text text={p.text} onJoin={onJoin} />
            {p.why
              ? <p className="trouble" role="alert">
                  Not sent: {p.why} <button className="link" onClick={() => onAgain(p.ref)}>Try again</button> <button className="link" onClick={() => onDiscard(p.ref)}>Discard</button>
                </p>
              : <p className="sending">{p.sent ? "Sent" : "Sending…"}</p>}
          </article>
        ))}
      </div>
      {!end && <button className="down" onClick={() => setEnd(true)}>Newest messages ↓</button>}
    </div>
  );
}

function Head({ name, at }: { name: string; at: number }) {
  const when = new Date(at);
  return (
    <p className="head">
      <b className="who">{name}</b>{" "}
      {at > 0 && <time dateTime={when.toISOString()} title={when.toLocaleString()}>
        {sameDay(at, Date.now()) ? "" : when.toLocaleDateString([], { month: "short", day: "numeric" }) + " "}
        {when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}
      </time>}
    </p>
  );
}

function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}
