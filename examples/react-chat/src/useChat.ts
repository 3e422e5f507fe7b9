import { useCallback, useEffect, useReducer, useRef } from "react";
import { Refusal } from "stentor-client";
import { nothing, reduce, type Chat, type Pending, type Said } from "./state.js";
import { useConnection, useHandler, useHub } from "./hooks.js";
import { OPEN, type Hub } from "./hub.js";
import { random } from "./identity.js";

export interface Talk {
  chat: Chat;
  /** Says something in a room: it is shown at once, and sent when it can be. */
  write: (room: string, text: string) => void;
  /** Tells those in a room that something is being written; now and then is enough. */
  tell: (room: string) => void;
  again: (ref: string) => void;
  discard: (ref: string) => void;
}

/** What is said in the channels that this page is on, and to this user; and what is written here. */
export function useChat(): Talk {
  const [chat, dispatch] = useReducer(reduce, nothing);
  useHandler<{ member?: { user: string } }>("stentor.open", (open) => dispatch({ type: "me", user: open.member?.user ?? "" }));
  useHandler<Said>("say", (said, event) => dispatch({ type: "said", id: event.id, channel: event.channel, said }));
  useHandler("gap", (_, event) => dispatch({ type: "gap", id: event.id }));

  // One after the other, so that the order stays; the first one that isn't sent yet, when there is a connection.
  const hub = useHub();
  const open = useConnection().state === OPEN;
  const busy = useRef(false);
  const next = chat.pending.find((p) => !p.sent && !p.why);
  useEffect(() => {
    if (!open || !next || busy.current) return;
    busy.current = true;
    const done = () => (busy.current = false);
    send(hub, chat.me, next).then(() => {
      done();
      dispatch({ type: "sent", ref: next.ref });
    }, (error: unknown) => {
      if (final(error)) {
        done();
        dispatch({ type: "refused", ref: next.ref, why: error.detail || error.message });
      } else {
        setTimeout(() => {
          done();
          dispatch({ type: "again" });
        }, 2_000);
      }
    });
  }, [hub, open, next, chat]);

  return {
    chat,
    write: useCallback((room, text) => dispatch({
      type: "write", pending: { ref: random(8), room, text, at: Date.now(), sent: false, why: "" },
    }), []),
    tell: useCallback((room) => {
      // It is of no use later, so it isn't tried again.
      hub.publish({ ...target(room), type: "writing", ephemeral: true, data: room[0] === "@" ? { to: room.slice(1) } : {} }).catch(() => {});
    }, [hub]),
    again: useCallback((ref) => dispatch({ type: "again", ref }), []),
    discard: useCallback((ref) => dispatch({ type: "discard", ref }), []),
  };
}

/** Publishes a message; again, if it must be: the server takes each ref once. The sender's other pages get a copy of a private one. */
async function send(hub: Hub, me: string, p: Pending): Promise<void> {
  const { ref, text, at } = p;
  const t = target(p.room);
  if ("channel" in t) await hub.publish({ ...t, type: "say", data: { ref, text, at } });
  else for (const user of new Set([t.user, me])) await hub.publish({ user, type: "say", data: { ref, text, at, to: t.user } });
}

function target(room: string): { channel: string } | { user: string } {
  const name = room.slice(1);
  return room[0] === "#" ? { channel: name } : { user: name };
}

/** It is no use to try again: not because the server is away, busy, or waits for the stream to open. */
function final(error: unknown): error is Refusal {
  return error instanceof Refusal && error.status < 500 && ![401, 408, 409, 429].includes(error.status);
}
