const digits = "abcdefghijklmnopqrstuvwxyz234567";

/** The pair's code: that of the link, or a new one, which is in the address from then on. */
export function code() {
	let code = location.hash.slice(1);
	if (!/^[a-z2-7]{26}$/.test(code)) {
		code = [...crypto.getRandomValues(new Uint8Array(26))].map((b) => digits[b % 32]).join("");
		history.replaceState(null, "", "#" + code);
	}
	// What follows # is never sent to a server; another code is another pair.
	addEventListener("hashchange", () => location.reload());
	return code;
}

/**
 * This window's id, the same when it is loaded again. While the page is there nothing is kept, because a
 * tab that is duplicated gets a copy of what is, and two windows with one id would be one.
 */
export function id() {
	const id = take("id") ?? [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");
	addEventListener("pagehide", () => keep("id", id));
	addEventListener("pageshow", () => take("id"));
	return id;
}

/** What was kept when the page went away, once. */
export function take(name) {
	try {
		const kept = sessionStorage.getItem("remote." + name);
		sessionStorage.removeItem("remote." + name);
		return kept ?? undefined;
	} catch {
		return undefined; // it is switched off
	}
}

export function keep(name, value) {
	try {
		sessionStorage.setItem("remote." + name, value);
	} catch { /* then a page that is loaded again begins anew */ }
}
