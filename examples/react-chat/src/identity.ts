import { useState } from "react";

/** Who this browser is: a secret of its own, and a name. The server knows the user by the secret's hash. */
export interface Identity {
  secret: string;
  name: string;
}

/** Says who this is, to be kept for the next time. */
export function identify(name: string): Identity {
  const secret = load<string>("secret", "") || random(32);
  save("secret", secret);
  save("name", name);
  return { secret, name };
}

/** Digits that nobody guesses. */
export function random(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

/** A state that is kept in this browser. */
export function useKept<T>(name: string, otherwise: T): [T, (value: T) => void] {
  const [value, set] = useState(() => load(name, otherwise));
  return [value, (next) => {
    save(name, next);
    set(next);
  }];
}

export function load<T>(name: string, otherwise: T): T {
  try {
    const kept = localStorage.getItem("chat." + name);
    return kept === null ? otherwise : (JSON.parse(kept) as T);
  } catch { // it is switched off, or somebody wrote something else there
    return otherwise;
  }
}

function save(name: string, value: unknown): void {
  try {
    localStorage.setItem("chat." + name, JSON.stringify(value));
  } catch { /* then it is as long as the page */ }
}
