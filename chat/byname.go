package chat

import (
	"net/http"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

// ByName is a [Provider] for development and demonstrations: whoever types a name is the user of
// that name, in every browser that types it, and nothing is asked to prove it. What others
// write to that user is read by all of them.
//
// A name has up to 32 characters: letters and digits of any script, emoji, single spaces, and
// . _ ' - between them. Whatever its letter case it is one user. What an anonymous user is
// called ("user7"), and "me", are nobody's.
type ByName struct{}

// maxName bounds a name, in characters.
const maxName = 32

// Name is "name": the form is at /auth/name.
func (ByName) Name() string { return "name" }

// Authenticate answers GET with the form, and POST with who it is, or the form with what is
// wrong.
func (p ByName) Authenticate(w http.ResponseWriter, r *http.Request) (*User, error) {
	if r.URL.Path != "/auth/"+p.Name() {
		return nil, &stentor.Refusal{Status: http.StatusNotFound, Detail: "there is nothing here; sign in at /auth/name"}
	}
	if r.Method != http.MethodPost {
		p.form(w, http.StatusOK, "", "")
		return nil, nil
	}
	typed := r.PostFormValue("name")
	name := strings.Join(strings.Fields(typed), " ")
	if wrong := checkName(name); wrong != "" {
		p.form(w, http.StatusBadRequest, typed, wrong)
		return nil, nil
	}
	return &User{ID: strings.ToLower(name), UserName: strings.ToLower(name), DisplayName: name}, nil
}

// form answers with the form, and what is wrong with what was typed.
func (ByName) form(w http.ResponseWriter, status int, typed, wrong string) {
	body := fill(byNameFile, struct {
		Name, Wrong string
		Max         int
	}{strings.ToValidUTF8(typed, "\ufffd"), wrong, maxName})
	pageHeader(w.Header(), "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", formPolicy)
	w.WriteHeader(status)
	w.Write(body) // an error means that the caller is gone
}

// formPolicy lets the form be a form, and nothing else.
const formPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// checkName says what is wrong with a name, or nothing.
func checkName(name string) string {
	first, _ := utf8.DecodeRuneInString(name)
	switch n := utf8.RuneCountInString(name); {
	case !utf8.ValidString(name):
		return "That is not text."
	case n == 0:
		return "Type a name."
	case n > maxName:
		return "A name has at most 32 characters."
	case strings.ContainsFunc(name, func(r rune) bool { return !inName(r) }):
		return "Use letters, digits, spaces and . _ ' - only."
	case !beginsName(first):
		return "Begin with a letter or a digit."
	case strings.EqualFold(name, "me") || regexp.MustCompile(`(?i)^user[0-9]+$`).MatchString(name):
		return "That name could be taken for another's. Choose one of your own."
	}
	return ""
}

// beginsName reports whether a name may begin with r: with what can be seen.
func beginsName(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.So, r)
}

// inName reports whether a name may have r: what joins and modifies emoji too, and nothing
// that turns the direction of a text.
func inName(r rune) bool {
	return beginsName(r) || unicode.Is(unicode.M, r) || unicode.Is(unicode.Sk, r) ||
		strings.ContainsRune(" ._'’-", r) || r == zeroWidthJoiner
}
