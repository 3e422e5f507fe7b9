// The parts of the page that need no browser: node --test chat/webtest/

import test from "node:test";
import assert from "node:assert/strict";
import { parseInput, findUser, candidates, complete, Recall, channelName, channelList, handle } from "../web/input.js";
import { command, textOf } from "../web/selector.js";
import { tokens, safeUrl, clip, localPicture, videoOf } from "../web/text.js";
import { colour, imageAddress, isDark } from "../web/style.js";
import { sorted } from "../web/people.js";
import { chatMessage, continues, place } from "../web/log.js";
import { drawn } from "../web/picture.js";

const rows = (name, check, list) => {
  for (const [input, want] of list) test(`${name}: ${JSON.stringify(input)}`, () => assert.deepEqual(check(input), want));
};
const chat = (message, to) => (to ? { kind: "chat", message, to } : { kind: "chat", message });
const raw = (selector, message, to) => (to ? { kind: "raw", selector, message, to } : { kind: "raw", selector, message });

rows("input", parseInput, [
  ["hello", chat("hello")],
  ["  hello \n", chat("hello")],
  ["a\nb", chat("a\nb")],
  ["", null],
  [" \n ", null],
  ["@user2 hi there", chat("hi there", "user2")],
  ["@user2\nhi\nthere", chat("hi\nthere", "user2")],
  ["@user2: hi", chat("hi", "user2")],
  ["@me note", chat("note", "me")],
  ["@ 5 pm", chat("@ 5 pm")],
  ["mail a@b.example", chat("mail a@b.example")],
  ["/cmd.announce This is it", raw("cmd.announce", "This is it")],
  ["/cmd.toggle$#channels", raw("cmd.toggle$#channels", null)],
  ["/css.background$#top #673ab7", raw("css.background$#top", "#673ab7")],
  ["/css.color$div%20.im,#top red", raw("css.color$div%20.im,#top", "red")],
  ["@me /cmd.announce hi", raw("cmd.announce", "hi", "me")],
  ["@user2 /tv.off", raw("tv.off", null, "user2")],
  ["//slash", chat("/slash")],
  ["@user2 //slash", chat("/slash", "user2")],
]);

for (const input of ["/", "/ x", "/shrug", "/.x", "/x.", "/a@b.c d", "@user2", "@user2 /", "@user2   "]) {
  test(`input that can't be sent: ${input}`, () => assert.equal(parseInput(input).kind, "error"));
}

test("users are found without spaces and whatever the case", () => {
  const people = [
    { user: "1", name: "Ann Lee" }, { user: "2", name: "bob" },
    { user: "3", name: "twin" }, { user: "4", name: "Twin" }, { user: "2", name: "bob" },
  ];
  const me = { user: "9", name: "Self" };
  assert.equal(findUser("annlee", people, me).person.user, "1");
  assert.equal(findUser("BOB", people, me).person.user, "2");
  assert.equal(findUser("Me", people, me).person.user, "9");
  assert.ok(findUser("twin", people, me).error.includes("Several"));
  assert.ok(findUser("nobody", people, me).error.includes("Nobody"));
  assert.ok(findUser("me", people, "").error);
  assert.equal(handle(" Ann  Lee "), "AnnLee");
});

test("S-32 completion of @name: who begins so, an exact one first", () => {
  const names = ["user12", "user1", "Ann Lee"];
  const of = (text, caret = text.length) => candidates(text, caret, names)?.handles ?? null;
  for (const [text, want] of [
    ["@us", ["user12", "user1"]], ["@user1", ["user1", "user12"]], ["hi @AN", ["AnnLee"]], ["@", ["user12", "user1", "AnnLee", "me"]], ["@m", ["me"]],
    ["us", null], ["a@us", null], ["@zz", null], ["", null], ["@us x", null], ["@us\n", null],
  ]) assert.deepEqual(of(text), want, text);
  assert.equal(of("@user1", 3), null, "within a word");
  assert.deepEqual(of("@us er1", 3), ["user12", "user1"]);
  const put = (text, caret, chosen) => complete(text, caret, candidates(text, caret, names), chosen);
  assert.deepEqual(put("@us", 3, "user1"), { text: "@user1 ", caret: 7 });
  assert.deepEqual(put("hi @AN you", 6, "AnnLee"), { text: "hi @AnnLee you", caret: 11 });
  assert.deepEqual(put("@", 1, "me"), { text: "@me ", caret: 4 });
});

test("recall walks as a shell does", () => {
  const r = new Recall(3);
  assert.equal(r.back("draft"), null);
  for (const line of ["a", "b", "b", "c", "d"]) r.add(line);
  assert.equal(r.forward(), null);
  assert.equal(r.back("draft"), "d");
  assert.equal(r.back("d"), "c");
  assert.equal(r.back("c"), "b");
  assert.equal(r.back("b"), null, "no more than the limit");
  assert.equal(r.forward(), "c");
  assert.equal(r.forward(), "d");
  assert.equal(r.forward(), "draft");
  assert.equal(r.forward(), null);
});

rows("channel name", channelName, [
  ["home", "home"], [" #Foo ", "Foo"], ["日本", "日本"], ["a b", null], ["a,b", null], ["a@b", null], ["", null], ["#", null],
  ["a\u0001", null], ["x".repeat(255), "x".repeat(255)], ["é".repeat(128), null],
]);
rows("channel list", channelList, [
  ["home,Foo", ["home", "Foo"]], ["home,,home, Foo ", ["home", "Foo"]], ["a b", []], [null, []], ["<b>", ["<b>"]],
]);

const parts = (c) => c && [c.op, c.target, c.css, c.selector];
rows("S-32 the type of a message as a selector", (type) => parts(command(type)), [
  ["announce", ["cmd", "announce", null, "cmd.announce"]],
  ["toggle$#channels", ["cmd", "toggle", "#channels", "cmd.toggle$#channels"]],
  ["cmd.toggle$.im", ["cmd", "toggle", ".im", "cmd.toggle$.im"]],
  ["css.color$div%20.im,#top", ["css", "color", "div .im,#top", "css.color$div%20.im,#top"]],
  ["css.background-image$#top", ["css", "background-image", "#top", "css.background-image$#top"]],
  ["tv.watch", ["tv", "watch", null, "tv.watch"]],
  ["x.y.z", ["x", "y.z", null, "x.y.z"]],
  ["x.y$a$b", ["x", "y", "a$b", "x.y$a$b"]],
  ["__proto__", ["cmd", "__proto__", null, "cmd.__proto__"]],
  [".x", null], ["x.", null], [".", null],
]);
test("a text is one whatever it looks like", () => {
  for (const [data, text, want] of [
    ["hello", "hello", "hello"], ["hello", '"hello"', "hello"], [2026, "2026", "2026"], [true, "true", "true"], [{ a: 1 }, '{"a":1}', '{"a":1}'],
    [null, "null", null], ["", '""', ""],
  ]) assert.equal(textOf(data, text), want, text);
});

const spelled = (text, name) => tokens(text, name).map((t) => (t.link ? `<${t.link}>` : t.mention ? `[${t.text}]` : t.text)).join("");
test("links are http and https alone", () => {
  for (const [text, want] of [
    ["see https://a.example/x?y=1.", "see <https://a.example/x?y=1>."],
    ["(http://a.example)", "(<http://a.example/>)"],
    ["https://a.example/x_(y)", "<https://a.example/x_(y)>"],
    ["javascript:alert(1)", "javascript:alert(1)"],
    ["data:text/html,x ftp://a.example", "data:text/html,x ftp://a.example"],
    ["https://good.example@evil.example/", "https://good.example@evil.example/"],
    ['https://a.example/"><script>', '<https://a.example/>"><script>'],
    ["https://", "https://"], ["https://...", "https://..."],
  ]) assert.equal(spelled(text, ""), want, text);
  for (const bad of ["javascript:1", "//a.example", "a", "", "data:,x", "https://u:p@a.example", "blob:https://a.example/x"]) {
    assert.equal(safeUrl(bad), null, bad);
  }
});

test("mentions are whole words", () => {
  for (const [text, want] of [
    ["hi user1!", "hi [user1]!"], ["@User1: x", "[@User1]: x"], ["user12 superuser1 user1_", "user12 superuser1 user1_"],
    ["user1 user1", "[user1] [user1]"], ["https://a.example/user1 user1", "<https://a.example/user1> [user1]"],
  ]) assert.equal(spelled(text, "user1"), want, text);
  assert.equal(spelled("what (x) is", "(x)"), "what [(x)] is");
  assert.equal(spelled("a.c abc", "a.c"), "[a.c] abc");
  assert.equal(spelled("a-b /c", "a-b"), "[a-b] /c");
  assert.equal(spelled("anything", ""), "anything");
});

rows("colour", colour, [
  ["#673ab7", "#673ab7"], [" #FFF ", "#fff"], ["#12345678", "#12345678"], ["rebeccapurple", "rebeccapurple"],
  ["rgb(1, 2, 3)", "rgb(1, 2, 3)"], ["hsl(120deg 50% 50% / .5)", "hsl(120deg 50% 50% / .5)"], ["oklch(50% .1 200)", "oklch(50% .1 200)"],
  ["url(https://x.example/)", null], ["var(--x)", null], ["red; color: blue", null], ["rgb(var(--x))", null], ["#12", null],
  ["expression(alert(1))", null], ["linear-gradient(red,blue)", null], ["", null], [null, null], [{}, null], [7, null],
]);
rows("address in url()", imageAddress, [
  ["url(/a.png)", "/a.png"], [`url("/a b.png")`, "/a b.png"], ["url( '/a.png' )", "/a.png"], ["/a.png", "/a.png"], ["url(a)b", "url(a)b"], [null, null], [7, null],
]);
rows("S-32 pictures of this server, or in the message itself", (v) => {
  globalThis.location = new URL("http://chat.example:8080/?channels=home");
  return localPicture(v);
}, [
  ["/chat/icon.svg", "http://chat.example:8080/chat/icon.svg"], ["http://chat.example:8080/x.png", "http://chat.example:8080/x.png"],
  ["data:image/png;base64,AAAA", "data:image/png;base64,AAAA"], ["data:image/svg+xml,x", "data:image/svg+xml,x"],
  ["data:text/html,x", null], ["data:image/svg+xmlx", null], ["https://chat.example:8080/x", null], ["http://chat.example/x", null], ["//evil.example/x.png", null],
  ["https://evil.example/x.png", null], ["javascript:alert(1)", null], ["x.png", null], ["blob:http://chat.example:8080/1", null], ["", null], [null, null], [{}, null],
]);
rows("S-32 videos", videoOf, [
  ["https://youtu.be/jNQXAC9IVRw", "jNQXAC9IVRw"], ["https://www.youtube.com/watch?v=jNQXAC9IVRw&t=3", "jNQXAC9IVRw"], ["https://m.youtube.com/watch?x=1&v=jNQXAC9IVRw", "jNQXAC9IVRw"],
  ["https://www.youtube.com/embed/jNQXAC9IVRw", "jNQXAC9IVRw"], ["https://youtube.com/shorts/jNQXAC9IVRw?x", "jNQXAC9IVRw"], ["http://www.youtube-nocookie.com/embed/jNQXAC9IVRw", "jNQXAC9IVRw"],
  ["https://www.youtube.com/watch", null], ["https://youtu.be/short", null], ["https://youtu.be/jNQXAC9IVRw1", null], ["https://youtu.be.evil.example/jNQXAC9IVRw", null],
  ["https://evilyoutube.com/watch?v=jNQXAC9IVRw", null], ["https://youtube.com@evil.example/watch?v=jNQXAC9IVRw", null], ["https://youtu.be/..%2f..%2fabcde", null],
  ["javascript:alert(1)", null], ["jNQXAC9IVRw", null], [null, null], [{}, null],
]);
rows("dark", isDark, [
  ["rgb(103, 58, 183)", true], ["rgb(236, 239, 241)", false], ["rgba(0, 0, 0, 0.5)", true], ["rgb(255, 255, 0)", false], ["rgb(117, 117, 117)", true], ["rgb(120, 120, 120)", false],
  ["oklch(0.5 0.1 200)", null], ["", null],
]);

test("people are oneself first, and then by name", () => {
  const list = [
    { user: "-10", name: "user10", meta: {} }, { user: "-2", name: "user2", meta: { profileUrl: "data:image/png,x" } },
    { user: "-1", name: "user1", meta: {} }, { user: "ann", name: "", meta: {} },
  ];
  const shown = (me) => sorted(list, me).map((p) => p.name).join(" ");
  assert.equal(shown(""), "ann user1 user2 user10");
  assert.equal(shown("-10"), "user10 ann user1 user2");
  assert.equal(sorted(list, "")[2].picture, "data:image/png,x");
  assert.deepEqual(sorted([], "x"), []);
});

test("a chat message is one, or none", () => {
  const m = chatMessage({ id: 7, channel: "home", fromUserId: "-1", fromName: "user1", message: "x", private: false, createdAt: 5, profileUrl: "data:image/png,x" });
  assert.deepEqual(m, { id: 7, channel: "home", from: "-1", name: "user1", text: "x", private: false, to: "", toName: "", note: "", picture: "data:image/png,x", at: 5, program: false });
  for (const bad of [null, "x", 7, [], {}, { id: "7", message: "x", fromUserId: "1" }, { id: 0, message: "x", fromUserId: "1" },
    { id: 1, message: {}, fromUserId: "1" }, { id: 1, message: "x" }, { id: 2 ** 60, message: "x", fromUserId: "1" }]) {
    assert.equal(chatMessage(bad), null);
  }
});

test("messages are grouped by user, privacy and time", () => {
  const m = { from: "1", program: false, private: false, to: "", at: 0 };
  assert.equal(continues(null, m), false);
  assert.equal(continues(m, { ...m, at: 60_000 }), true);
  assert.equal(continues(m, { ...m, at: 600_000 }), false);
  for (const other of [{ from: "2" }, { private: true }, { to: "2" }, { program: true }]) assert.equal(continues(m, { ...m, ...other }), false);
});

test("messages go in their place", () => {
  const at = (list, m) => place(list.map((v) => (v ? { id: v, at: v } : null)), { id: m, at: m });
  for (const [list, m, want] of [
    [[], 5, 0], [[1, 2], 5, 2], [[1, 9], 5, 1], [[0, 9], 5, 1], [[1, 0, 9, 0], 5, 2], [[7, 0, 9], 5, 0], [[0, 0], 5, 2],
  ]) assert.equal(at(list, m), want, `${list} ${m}`);
  assert.equal(place([{ id: 900, at: 1 }], { id: 1, at: 2 }), 1, "ids begin anew with a new server");
  assert.equal(place([{ id: 1, at: 1 }, { id: 3, at: 1 }], { id: 2, at: 1 }), 1, "within a millisecond ids count");
});

test("a picture in a message is taken only if nobody has to be asked for it", () => {
  for (const [url, want] of [["data:image/svg+xml;base64,x", true], ["data:text/html,x", false], ["https://a.example/x.png", false], ["/x.png", false], ["", false], [null, false]]) {
    assert.equal(drawn(url), want, url);
  }
});

test("clip cuts between characters", () => {
  assert.equal(clip("🎺🎺🎺", 3), "🎺🎺🎺");
  assert.equal(clip("🎺🎺🎺🎺", 3), "🎺🎺…");
});
