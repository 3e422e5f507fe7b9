package main

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

// rooms is what the face asks: who somebody is, and what they may do.
type rooms struct {
	hub  *stentor.Hub
	pace *pace
}

// user is who a request is from: a name for the secret that the page made up and shows as its
// bearer token. Everybody may know it, and it leads nobody back to the secret.
func user(r *http.Request) (string, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || len(token) < 22 || len(token) > 256 {
		return "", &stentor.Refusal{
			Status: http.StatusUnauthorized,
			Detail: "say who you are with Authorization: Bearer and a random text of your own, 22 characters or more",
		}
	}
	sum := sha256.Sum256([]byte("drawing " + token))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10])), nil
}

// subscribe lets everyone into every room, one at a time. Who shows no token looks on, and is not a
// user.
func (s *rooms) subscribe(r *http.Request, o *stentor.SubscribeOptions) error {
	for _, ch := range o.Channels {
		if !room(ch) {
			return &stentor.Refusal{Status: http.StatusNotFound, Detail: "a room is a channel like room:attic, in small letters, digits and hyphens"}
		}
	}
	if r.Header.Get("Authorization") == "" {
		return nil
	}
	var err error
	if o.User, err = user(r); err != nil {
		return err
	}
	o.Session = o.User // so that it takes its own place when it comes back
	query := r.URL.Query()
	colour, _ := strconv.Atoi(query.Get("colour")) // a bad one is the first
	o.DisplayName = displayName(query.Get("name"))
	o.Meta = public(o.DisplayName, colour)
	return nil
}

// publish takes what pages send, and nothing else. What is published is made of what was
// checked.
func (s *rooms) publish(r *http.Request, m *stentor.Message) error {
	by, err := user(r)
	if err != nil {
		return err
	}
	if !s.pace.take(by) {
		return &stentor.Refusal{Status: http.StatusTooManyRequests, Detail: "that is too fast; thirty messages a second are enough to draw with"}
	}
	if !room(m.Target.Channel) || m.Target != (stentor.Target{Channel: m.Target.Channel}) {
		return &stentor.Refusal{Status: http.StatusForbidden, Detail: "publish to a room, as in \"channel\":\"room:attic\", and to nobody else"}
	}
	return check(m, by)
}

// me changes what the others see of a user.
func (s *rooms) me(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	by, err := user(r)
	if err != nil {
		http.Error(w, "no token", http.StatusUnauthorized)
		return
	}
	if !s.pace.take(by) {
		http.Error(w, "too fast", http.StatusTooManyRequests)
		return
	}
	var in struct {
		Name   string `json:"name"`
		Colour int    `json:"colour"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&in); err != nil {
		http.Error(w, "send {\"name\":\"Ada\",\"colour\":3}", http.StatusBadRequest)
		return
	}
	for sub := range s.hub.Subscriptions(stentor.Target{User: by}) {
		now := sub.Member().Meta
		for name, value := range public(displayName(in.Name), in.Colour) {
			if now[name] != value {
				sub.SetMeta(name, value) // tells the room
			}
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// public is what everyone in a room sees of a user. A name can change, and the hub's own
// doesn't.
func public(name string, colour int) map[string]string {
	if colour < 0 || colour >= colours {
		colour = 0
	}
	return map[string]string{"name": name, "colour": strconv.Itoa(colour)}
}

// maxName bounds a name, in characters.
const maxName = 24

// displayName is a name that can be shown in a line.
func displayName(name string) string {
	name = strings.Map(func(c rune) rune {
		if !unicode.IsGraphic(c) { // nor what turns the direction of what comes after
			return -1
		}
		return c
	}, strings.ToValidUTF8(name, ""))
	name = strings.Join(strings.Fields(name), " ")
	if utf8.RuneCountInString(name) > maxName {
		name = strings.TrimSpace(string([]rune(name)[:maxName]))
	}
	if name == "" {
		return "Somebody"
	}
	return name
}

// room says whether a channel is one.
func room(ch stentor.Channel) bool {
	name, ok := strings.CutPrefix(string(ch), "room:")
	return ok && name != "" && len(name) <= 40 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
