// Who this window is: a secret of its own, a name, a colour. They last as long as the window.

/** What this window said of itself before. */
export function recall(name) {
  try {
    return sessionStorage.getItem("drawing " + name) ?? "";
  } catch {
    return "";
  }
}

export function remember(name, value) {
  try {
    sessionStorage.setItem("drawing " + name, value);
  } catch {
    // it forgets, then
  }
}

let secret = "";

/** What the server knows this window by, and nobody else is told. */
export function token() {
  secret ||= recall("token") || [...crypto.getRandomValues(new Uint8Array(20))].map((n) => n.toString(16).padStart(2, "0")).join("");
  remember("token", secret);
  return secret;
}

export function randomName() {
  const pick = (words) => words[Math.floor(Math.random() * words.length)];
  const name = `${pick(["Amber", "Bold", "Calm", "Clever", "Deft", "Gentle", "Lucky", "Merry", "Quick", "Quiet", "Sunny", "Wild"])} ${
    pick(["Badger", "Crane", "Finch", "Fox", "Hare", "Heron", "Lynx", "Marten", "Otter", "Owl", "Seal", "Wren"])}`;
  remember("name", name);
  return name;
}
