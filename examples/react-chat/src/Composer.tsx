import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";

interface Props {
  room: string;
  title: string;
  onBegin: () => void; // now and then while somebody writes
  onWrite: (text: string) => void;
}

/** Where one writes: Enter sends, Shift and Enter begin another line. */
export function Composer({ room, title, onBegin, onWrite }: Props) {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const told = useRef(0); // when it was told last that somebody writes here
  useEffect(() => {
    if (!matchMedia("(pointer: coarse)").matches) field.current!.focus(); // on a phone it would open the keyboard
  }, []);
  const submit = (e: FormEvent | KeyboardEvent) => {
    e.preventDefault();
    if (!text.trim()) return;
    onWrite(text.trim());
    setText("");
    told.current = 0;
  };
  const change = (next: string) => {
    setText(next);
    if (!next.trim() || Date.now() - told.current < 3_000) return;
    told.current = Date.now();
    onBegin();
  };
  const press = (e: KeyboardEvent) => {
    if (e.key === "Enter" && !e.shiftKey && !e.nativeEvent.isComposing) submit(e);
  };
  const to = room[0] === "#" ? "Write to #" + title : "Write to " + title + " alone";
  return (
    <form className="composer" onSubmit={submit}>
      <textarea ref={field} value={text} onChange={(e) => change(e.target.value)} onKeyDown={press} rows={1} maxLength={2000}
        placeholder={to} aria-label={to} enterKeyHint="send" dir="auto" />
      <button className="main" disabled={!text.trim()}>Send</button>
    </form>
  );
}
