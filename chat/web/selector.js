// Types of messages, as the selectors of ServiceStack's clients. Users write those: /css.color$#top red.

// command takes the type of a message apart: op.target, and what stands after the first $, which picks
// elements. A type without a dot is one of cmd. What is none is null.
export function command(type) {
  const selector = type.includes(".") ? type : `cmd.${type}`;
  const dot = selector.indexOf(".");
  if (dot < 1 || dot === selector.length - 1) return null;
  const rest = selector.slice(dot + 1).replaceAll("%20", " ");
  const dollar = rest.indexOf("$");
  return {
    selector,
    op: selector.slice(0, dot),
    target: dollar < 0 ? rest : rest.slice(0, dollar),
    css: dollar < 0 ? null : rest.slice(dollar + 1),
  };
}

// textOf is the text of a message, given its data and as it came: "2026" is one, and only JSON
// without a value is none.
export function textOf(data, text) {
  if (data === null) return null;
  return typeof data === "string" ? data : text;
}
