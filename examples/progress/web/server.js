// What both pages have: the requests, and what is told of the connection.

const $ = (id) => document.getElementById(id);

/** Asks the server; an error says what it answered. */
export async function ask(path, form) {
  const answer = await fetch(path, form ? { method: "POST", body: new URLSearchParams(form) } : {});
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(data.detail ?? `The server answered ${answer.status}.`);
  return data;
}

/** For connect: shows the state of the connection. */
export function state(now, error) {
  const name = ["connecting", "open", "closed"][now];
  document.body.dataset.state = name;
  $("state").textContent = { connecting: error ? "Reconnecting…" : "Connecting…", open: "Live", closed: "Not connected" }[name];
}

/**
 * Has a page that is left give its connection back: the browser keeps it for whoever goes back to it, with its stream,
 * and a server gets six connections at most. One that is come back to begins anew, and has the state at once.
 */
export function lasts(client) {
  addEventListener("pagehide", () => client.close());
  addEventListener("pageshow", (e) => e.persisted && location.reload());
}

/** Shows what went wrong; nothing: it is all right. */
export function wrong(error) {
  $("wrong").textContent = error?.message ?? "";
  $("wrong").hidden = !error;
}

/** Tells those who don't see the page how a job has ended. */
export function tell({ title, state, note, over }) {
  if (over) $("told").textContent = `${title}: ${state}. ${note}`;
}
