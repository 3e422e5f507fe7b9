import type { CSSProperties, ReactNode } from "react";

/** What somebody wrote: text, in which web addresses and #channels can be followed. Nothing in it is ever markup. */
export function Text({ text, onJoin }: { text: string; onJoin: (channel: string) => void }) {
  return <p className="text" dir="auto">{parts(text, onJoin)}</p>;
}

const marked = /https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]]|(?<![\p{L}\p{N}_&/#-])#[\p{Ll}\p{Lo}\p{N}_-]{1,32}(?![\p{L}\p{N}_-])/gu;

function parts(text: string, onJoin: (channel: string) => void): ReactNode[] {
  const found: ReactNode[] = [];
  let at = 0;
  for (const m of text.matchAll(marked)) {
    found.push(text.slice(at, m.index));
    at = m.index + m[0].length;
    const word = m[0];
    found.push(word[0] === "#"
      ? <button key={m.index} className="link" onClick={() => onJoin(word.slice(1))}>{word}</button>
      : <a key={m.index} href={word} target="_blank" rel="noopener noreferrer nofollow">{word}</a>);
  }
  found.push(text.slice(at));
  return found;
}

/** A user's own colour, as the variable --hue of the style sheet. */
export function colour(user: string): CSSProperties {
  return { "--hue": Number.parseInt(user.slice(0, 6), 16) % 360 || 0 } as CSSProperties;
}
