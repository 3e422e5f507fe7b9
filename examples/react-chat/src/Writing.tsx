import { useEffect, useRef, useState } from "react";
import { useHandler } from "./hooks.js";
import type { Said } from "./state.js";

const lasts = 5_000; // ms after which somebody who says no more has stopped writing
const most = 20; // writers of a room that are remembered

interface Writer {
  name: string;
  timer: ReturnType<typeof setTimeout>;
}

/** Who else is writing in a room. */
export function Writing({ room, me }: { room: string; me: string }) {
  const [names, setNames] = useState<readonly string[]>([]);
  const writers = useRef(new Map<string, Writer>());
  const show = () => setNames([...writers.current.values()].map((w) => w.name));
  const stop = (user: string) => {
    const writer = writers.current.get(user);
    if (!writer) return;
    clearTimeout(writer.timer);
    writers.current.delete(user);
    show();
  };
  const here = (from: string, channel: string) => from !== me && room === (channel ? "#" + channel : "@" + from);
  useHandler<Said>("writing", ({ from, name }, event) => {
    if (!here(from, event.channel)) return;
    stop(from);
    if (writers.current.size >= most) return;
    writers.current.set(from, { name, timer: setTimeout(() => stop(from), lasts) });
    show();
  });
  useHandler<Said>("say", ({ from }, event) => here(from, event.channel) && stop(from));
  useEffect(() => {
    const all = writers.current;
    return () => {
      all.forEach((w) => clearTimeout(w.timer));
      all.clear();
    };
  }, []);
  if (!names.length) return <p className="writing" />;
  return <p className="writing">{names.length > 3 ? "Several people are writing…" : names.join(", ") + (names.length > 1 ? " are writing…" : " is writing…")}</p>;
}
