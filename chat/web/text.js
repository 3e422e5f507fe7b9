// User text is shown as text: nothing here makes markup of it.

const urlForm = /https?:\/\/[^\s<>"'`]+/giu;

// tokens takes a text apart into {text}, {link, text} and {mention, text}.
export function tokens(text, name) {
  const out = [];
  let at = 0;
  for (const found of text.matchAll(urlForm)) {
    const shown = trimUrl(found[0]);
    const link = safeUrl(shown);
    if (!link) continue;
    out.push(...mentions(text.slice(at, found.index), name), { link, text: shown });
    at = found.index + shown.length;
  }
  out.push(...mentions(text.slice(at), name));
  return out;
}

// trimUrl leaves out what ends a sentence and not an address.
function trimUrl(url) {
  for (;;) {
    const last = url.at(-1);
    const unopened = last === ")" && !url.includes("(");
    if (!unopened && !".,;:!?*_".includes(last)) return url;
    url = url.slice(0, -1);
  }
}

// safeUrl is an http or https address without a user in it, which could pass for
// another host; or null.
export function safeUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const web = url.protocol === "https:" || url.protocol === "http:";
  return web && url.username === "" && url.password === "" ? url.href : null;
}

// localPicture is the address of a picture that comes from this server or with the address
// itself, or null.
export function localPicture(value) {
  if (typeof value !== "string") return null;
  const text = value.trim();
  if (/^data:image\/(?:png|gif|jpeg|webp|avif|svg\+xml)[;,]/iu.test(text)) return text;
  let url;
  try {
    url = new URL(text, location.origin);
  } catch {
    return null;
  }
  return (text.startsWith("/") || text.startsWith("http")) && url.origin === location.origin ? url.href : null;
}

// videoOf is the id of a video at YouTube, or null.
export function videoOf(value) {
  const address = typeof value === "string" ? safeUrl(value.trim()) : null;
  if (!address) return null;
  const url = new URL(address);
  const host = url.host.replace(/^(?:www|m)\./u, "");
  const [, first, second] = url.pathname.split("/");
  let id = null;
  if (host === "youtu.be") id = first;
  else if (host === "youtube.com" && first === "watch") id = url.searchParams.get("v");
  else if (["youtube.com", "youtube-nocookie.com"].includes(host) && ["embed", "shorts", "live"].includes(first)) id = second;
  return /^[\w-]{11}$/u.test(id ?? "") ? id : null;
}

function mentions(text, name) {
  if (text === "") return [];
  const form = mentionForm(name);
  if (!form) return [{ text }];
  const out = [];
  let at = 0;
  for (const found of text.matchAll(form)) {
    if (found.index > at) out.push({ text: text.slice(at, found.index) });
    out.push({ mention: true, text: found[0] });
    at = found.index + found[0].length;
  }
  if (at < text.length) out.push({ text: text.slice(at) });
  return out;
}

// mentionForm matches a name as a whole word, with or without @.
function mentionForm(name) {
  if (!name) return null;
  const literal = name.replace(/[.*+?^${}()|[\]\\/]/gu, "\\$&");
  return new RegExp(`@?(?<![\\p{L}\\p{N}_])${literal}(?![\\p{L}\\p{N}_])`, "giu");
}

// append puts the tokens of a text into an element.
export function append(element, text, name) {
  let mentioned = false;
  for (const token of tokens(text, name)) {
    if (token.link) {
      const a = document.createElement("a");
      a.href = token.link;
      a.target = "_blank";
      a.rel = "noopener noreferrer nofollow";
      a.textContent = token.text;
      element.append(a);
    } else if (token.mention) {
      const mark = document.createElement("mark");
      mark.textContent = token.text;
      element.append(mark);
      mentioned = true;
    } else {
      element.append(token.text);
    }
  }
  return mentioned;
}

// make makes an element: properties, data-* and children that are elements or text.
export function make(tag, { data = {}, attr = {}, ...props } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), props);
  for (const [name, value] of Object.entries(attr)) element.setAttribute(name, value);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
}

// clip cuts a text for display.
export function clip(text, length) {
  const characters = [...text];
  return characters.length <= length ? text : characters.slice(0, length - 1).join("") + "…";
}

// problemText is what a refusal says to a person.
export async function problemText(response) {
  try {
    return (await response.json()).responseStatus.message;
  } catch {
    return `The server answered ${response.status}.`;
  }
}
