import { useId, useState, type FormEvent } from "react";
import { load } from "./identity.js";

/** Asks for a name. */
export function SignIn({ trouble, onChoose }: { trouble: string; onChoose: (name: string) => void }) {
  const [name, setName] = useState(() => load("name", ""));
  const field = useId(), why = useId();
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (name.trim()) onChoose(name.trim());
  };
  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <img src="/icon.svg" alt="" width="56" height="56" />
        <h1>Come in</h1>
        <p>Everyone here sees the name that you choose.</p>
        <label htmlFor={field}>Your name</label>
        <input id={field} value={name} onChange={(e) => setName(e.target.value)} maxLength={32} autoComplete="nickname" required
          autoFocus aria-describedby={why} aria-invalid={trouble !== ""} />
        <p id={why} className="trouble" role="alert">{trouble}</p>
        <button className="main" disabled={!name.trim()}>Join the chat</button>
      </form>
    </main>
  );
}
