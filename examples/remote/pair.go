package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

const (
	codeLength = 26 // letters and digits of five bits each
	codeDigits = "abcdefghijklmnopqrstuvwxyz234567"
	idLength   = 16 // digits of a window's id
	maxSlide   = 99
	maxText    = 120 // characters
)

// pairs decides who may be on a pair's channel, and what may be said there. Whoever knows the
// code may, up to two windows: nothing else is proved, and nothing else has to be.
type pairs struct {
	hub *stentor.Hub
}

// subscribe takes windows, by the id that each has made up for itself.
func (p *pairs) subscribe(r *http.Request, o *stentor.SubscribeOptions) error {
	o.User = r.URL.Query().Get("user")
	if len(o.User) != idLength || strings.Trim(o.User, "0123456789abcdef") != "" {
		return refuse(http.StatusBadRequest, "user: 16 hexadecimal digits, a window's own")
	}
	o.DisplayName = "window"
	return p.list(r, o.Channels)
}

// prepare lets two windows into a pair. The subscription is in the directory by now, so that of two that come in the same
// moment at least one sees the other.
func (p *pairs) prepare(_ http.Header, _ *http.Request, s *stentor.Subscription) error {
	me := s.Member()
	for _, ch := range me.Channels {
		others := map[string]bool{}
		for other := range p.hub.Subscriptions(stentor.Target{Channel: ch}) {
			others[other.Member().User] = true
		}
		delete(others, me.User)
		if len(others) > 1 {
			return refuse(http.StatusConflict, "this pair has two windows already; begin another one")
		}
	}
	return nil
}

// list lets those who know a pair's code see who is there. A channel that is no code is nobody's: so none can be guessed.
func (p *pairs) list(_ *http.Request, channels []stentor.Channel) error {
	for _, ch := range channels {
		if len(ch) != codeLength || strings.Trim(string(ch), codeDigits) != "" {
			return refuse(http.StatusBadRequest, "channel: a pair's code, of 26 letters and digits")
		}
	}
	return nil
}

// command takes what one window publishes for the other.
func (p *pairs) command(r *http.Request, m *stentor.Message) error {
	t := m.Target
	if (t != stentor.Target{Channel: t.Channel, User: t.User}) || t.Channel == "" || t.User == "" {
		return refuse(http.StatusBadRequest, "target: the pair's code as channel, and the other window's id as user")
	}
	if err := p.list(r, []stentor.Channel{t.Channel}); err != nil {
		return err
	}
	if !known(m.Type, m.Data) {
		return refuse(http.StatusBadRequest, "type, data: this is no command")
	}
	// How the other window looks and is scrolled is of no use to one that comes later.
	m.Ephemeral = m.Type == "other.state" || m.Type == "page.scroll"
	return nil
}

// known says if data is what a type of command takes.
func known(typ, data string) bool {
	switch typ {
	case "slides.next", "slides.previous", "trigger.applause":
		return data == "null"
	case "slides.go":
		n, ok := decode[int](data)
		return ok && n >= 1 && n <= maxSlide
	case "page.scroll":
		part, ok := decode[float64](data)
		return ok && part >= 0 && part <= 1
	case "page.colour":
		return isColour(data)
	case "page.caption":
		caption, ok := decode[struct {
			Text string `json:"text"`
		}](data)
		return ok && utf8.RuneCountInString(caption.Text) <= maxText
	case "other.state":
		state, ok := decode[struct {
			Slide  int     `json:"slide"`
			Slides int     `json:"slides"`
			Title  string  `json:"title"`
			Colour string  `json:"colour"`
			Text   string  `json:"text"`
			Scroll float64 `json:"scroll"`
		}](data)
		return ok && isColour(state.Colour)
	}
	return false
}

func isColour(name string) bool {
	return slices.Contains([]string{"indigo", "teal", "plum", "brick", "olive", "slate"}, name)
}

// decode reads a JSON value that has the fields of T and no others.
func decode[T any](data string) (v T, ok bool) {
	d := json.NewDecoder(strings.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&v)
	return v, err == nil && !d.More()
}

func refuse(status int, detail string) error { return &stentor.Refusal{Status: status, Detail: detail} }
