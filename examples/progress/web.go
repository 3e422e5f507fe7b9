package main

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

// web is the pages. It is a package variable because the compiler fills in no other; it
// can't be changed.
//
//go:embed web
var web embed.FS

// policy lets the pages load and call this server alone, and make no markup of texts.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// cookie is the plain face's, which names a browser.
const cookie = "stentor"

func (a *app) routes() {
	guard := http.NewCrossOriginProtection() // pages of other sites start and cancel nothing
	a.mux.Handle("POST /jobs", guard.Handler(answer(a.start)))
	a.mux.Handle("POST /jobs/{id}/cancel", guard.Handler(answer(a.cancel)))
	a.mux.Handle("GET /jobs", answer(a.list))
	a.mux.HandleFunc("GET /jobs/{id}/result", a.result)
	files, err := fs.Sub(web, "web")
	if err != nil { // it is in the program
		panic("progress: " + err.Error())
	}
	a.mux.Handle("GET /", page(http.FileServerFS(files)))
	a.mux.Handle("GET /jobs/{id}", page(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "job.html")
	})))
}

// page adds what every file is served with.
func page(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// owner is a public name for what only the browser knows.
func owner(session string) string {
	if session == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("progress " + session))
	return hex.EncodeToString(sum[:12])
}

// ownerOf is who a request is from, "" for nobody.
func ownerOf(r *http.Request) string {
	c, err := r.Cookie(cookie)
	if err != nil {
		return ""
	}
	return owner(c.Value)
}

// mine is the channel of those who want to see all of their own jobs. Nothing is published to it.
const mine stentor.Channel = "jobs"

// subscribe admits a browser to its own jobs, and to each that it has the link of.
func (a *app) subscribe(_ *http.Request, o *stentor.SubscribeOptions) error {
	o.User = owner(o.Session)
	for _, ch := range o.Channels {
		if id, ok := strings.CutPrefix(string(ch), "job:"); ch != mine && (!ok || !a.jobs.Known(id)) {
			return &stentor.Refusal{Status: http.StatusNotFound, Detail: "there is no such job, or no longer"}
		}
	}
	if slices.Contains(o.Channels, mine) {
		o.Channels = append(o.Channels, a.channels(o.User)...)
	}
	return nil
}

// prepare adds what was started between subscribe and now, and its state. What is started from now on
// finds s.
func (a *app) prepare(_ http.Header, r *http.Request, s *stentor.Subscription) error {
	if !slices.Contains(s.Channels(), mine) {
		return nil
	}
	_, err := s.Join(r.Context(), a.channels(s.Member().User)...)
	return err
}

// channels are those of all jobs of an owner.
func (a *app) channels(owner string) (list []stentor.Channel) {
	for _, s := range a.jobs.Of(owner) {
		list = append(list, channel(s.ID))
	}
	return list
}

func (a *app) start(r *http.Request) (any, error) {
	who := ownerOf(r)
	if who == "" {
		return nil, &stentor.Refusal{Status: http.StatusForbidden, Detail: "open /events first, and keep its cookie: it says whose the job is"}
	}
	if err := r.ParseForm(); err != nil {
		return nil, &stentor.Refusal{Status: http.StatusBadRequest, Detail: "send a form with kind and, if you like, title"}
	}
	title, err := line(r.PostForm.Get("title"))
	if err != nil {
		return nil, err
	}
	return a.jobs.Start(r.Context(), who, r.PostForm.Get("kind"), title)
}

// maxTitle bounds a title, in characters.
const maxTitle = 60

// line admits what can be shown in a line.
func line(s string) (string, error) {
	s = strings.TrimSpace(s)
	bad := func(c rune) bool { return !unicode.IsGraphic(c) }
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxTitle || strings.ContainsFunc(s, bad) {
		return "", &stentor.Refusal{Status: http.StatusBadRequest, Detail: "a title is one line of at most 60 characters"}
	}
	return s, nil
}

func (a *app) cancel(r *http.Request) (any, error) {
	if !a.jobs.Cancel(ownerOf(r), r.PathValue("id")) {
		return nil, &stentor.Refusal{Status: http.StatusNotFound, Detail: "you have no such job that isn't over"}
	}
	return struct{}{}, nil
}

func (a *app) list(r *http.Request) (any, error) {
	return struct {
		Jobs []status `json:"jobs"`
	}{a.jobs.Of(ownerOf(r))}, nil
}

func (a *app) result(w http.ResponseWriter, r *http.Request) {
	b := a.jobs.Result(r.PathValue("id"))
	if b == nil {
		http.Error(w, "there is no such result, or no longer", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="result.csv"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.Write(b) // an error means that the reader has gone
}

// answer answers with JSON: what f gives, or why it refuses.
func answer(f func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		v, err := f(r)
		if err != nil {
			refusal, ok := errors.AsType[*stentor.Refusal](err)
			if !ok {
				refusal = &stentor.Refusal{Status: http.StatusBadRequest, Detail: err.Error()}
			}
			w.WriteHeader(refusal.Status)
			v = map[string]string{"detail": refusal.Detail}
		}
		json.NewEncoder(w).Encode(v) // an error means that the reader has gone
	})
}
