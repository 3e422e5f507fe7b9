import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";

/** Where one writes: Enter sends, Shift and Enter begin another line. */
export function Composer({ room, title, onWrite }: { room: string; title: string; onWrite: (text: string) => void }) {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (!matchMedia("(pointer: coarse)").matches) field.current!.focus(); // on a phone it would open the keyboard
  }, []);
  const submit = (e: FormEvent | KeyboardEvent) => {
    e.preventDefault();
    if (!text.trim()) return;
    onWrite(text.trim());
    setText("");
  };
  const press = (e: KeyboardEvent) => {
    if (e.key === "Enter" && !e.shiftKey && !e.nativeEvent.isComposing) submit(e);
  };
  const to = room[0] === "#" ? "Write to #" + title : "Write to " + title + " alone";
  return (
    <form className="composer" onSubmit={submit}>
      <textarea ref={field} value={text} onChange={(e) => setText(e.target.value)} onKeyDown={press} rows={1} maxLength={2000}
        placeholder={to} aria-label={to} enterKeyHint="send" dir="auto" />
      <button className="main" disabled={!text.trim()}>Send</button>
    </form>
  );
}
