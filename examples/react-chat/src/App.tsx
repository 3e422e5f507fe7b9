import { useEffect, useEffectEvent, useState } from "react";
import { Refusal } from "stentor-client";
import { Chat } from "./Chat.js";
import { HubProvider, useConnection } from "./hooks.js";
import { CLOSED } from "./hub.js";
import { identify, load, type Identity } from "./identity.js";
import { SignIn } from "./SignIn.js";

/** Asks for a name, and shows the chat under it; back to the name when the server refuses it. */
export function App() {
  const [who, setWho] = useState<Identity | null>(() => (load("name", "") ? identify(load("name", "")) : null));
  const [trouble, setTrouble] = useState("");
  if (!who) {
    return <SignIn trouble={trouble} onChoose={(name) => {
      setTrouble("");
      setWho(identify(name));
    }} />;
  }
  const leave = (why: string) => {
    setTrouble(why);
    setWho(null);
  };
  // From the beginning: newcomers get what is kept, and a page that is loaded again too.
  const options = {
    presence: true, lastEventId: "0", forget: true,
    token: () => who.secret, headers: { "Chat-Name": encodeURIComponent(who.name) },
    error: (error: unknown) => console.warn(error), // a list of members that can't be had is asked for again
  };
  return (
    <HubProvider key={who.name} url="/events" options={options}>
      <Refused onRefused={leave} />
      <Chat name={who.name} onLeave={() => leave("")} />
    </HubProvider>
  );
}

/** Watches for a connection that is refused for good. */
function Refused({ onRefused }: { onRefused: (why: string) => void }) {
  const { state, error } = useConnection();
  const refuse = useEffectEvent(onRefused);
  useEffect(() => {
    if (state === CLOSED) refuse(error instanceof Refusal && error.detail ? error.detail : "The server doesn't want this connection.");
  }, [state, error]);
  return null;
}
