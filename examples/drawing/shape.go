package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stentor-sse/stentor"
)

// The board is as large for everyone; what a page shows of it is its own affair.
const (
	boardWidth  = 4000
	boardHeight = 3000
	colours     = 9    // the last one is the paper's: it rubs out
	maxWidth    = 120  // of a stroke
	maxPoints   = 1000 // of a stroke; a longer one is cut in two by the page
	maxID       = 40
)

// Types of messages, and what their data are.
type (
	// stroke is a line that was drawn ("stroke", kept), or what one is so far.
	stroke struct {
		ID     string `json:"id"` // its user's choice
		Colour int    `json:"colour"`
		Width  int    `json:"width"`
		Points []int  `json:"points"` // x, y, x, y, …
	}
	// undo takes a stroke of one's own away ("undo", kept).
	undo struct {
		ID string `json:"id"`
	}
	// empty takes all of one's own away ("clear", kept).
	empty struct{}
	// live is what somebody does right now ("live", ephemeral).
	live struct {
		At     []int  `json:"at,omitempty"` // the pointer; none: it is elsewhere
		View   []int  `json:"view"`         // what they see: x, y, width, height, in tenths
		Width  int    `json:"width"`        // of their pen
		Stroke *piece `json:"stroke,omitempty"`
	}
	// piece is what was added to a stroke since the last message.
	piece struct {
		stroke
		From int `json:"from"` // how many numbers of Points came before
	}
	// watch tells somebody that they are watched, or no longer ("watch", ephemeral).
	watch struct {
		User string `json:"user"`
		On   bool   `json:"on"`
	}
)

// check makes a message that everyone may get of one that anyone may have sent.
func check(m *stentor.Message, by string) error {
	m.Ephemeral = m.Type == "live" || m.Type == "watch"
	switch m.Type {
	case "stroke":
		return remake(m, by, func(s stroke) error { return s.check(1) })
	case "undo":
		return remake(m, by, func(u undo) error { return checkID(u.ID) })
	case "clear":
		return remake(m, by, func(empty) error { return nil })
	case "live":
		return remake(m, by, live.check)
	case "watch":
		return remake(m, by, func(w watch) error {
			m.Target.User = w.User // who isn't in the room is told nothing
			return checkID(w.User)
		})
	}
	return refuse("type: there are stroke, undo, clear, live and watch")
}

// remake reads the data of a message, has it checked, and writes it anew with whose it is.
func remake[T any](m *stentor.Message, by string, check func(T) error) error {
	var data T
	d := json.NewDecoder(strings.NewReader(m.Data))
	d.DisallowUnknownFields()
	if err := d.Decode(&data); err != nil || d.More() || !m.JSON {
		return refuse("data: send the JSON object of a " + m.Type)
	}
	if err := check(data); err != nil {
		return err
	}
	made, err := stentor.JSON(m.Target, m.Type, struct {
		By   string `json:"by"`
		What T      `json:"what"`
	}{by, data})
	m.Data, m.JSON = made.Data, true
	return err
}

// check wants so many points at least.
func (s stroke) check(least int) error {
	switch {
	case s.Colour < 0 || s.Colour >= colours:
		return refuse("colour: a number below %d", colours)
	case s.Width < 1 || s.Width > maxWidth:
		return refuse("width: from 1 to %d", maxWidth)
	case len(s.Points)%2 != 0 || !within(len(s.Points)/2, least, maxPoints):
		return refuse("points: from %d to %d, two numbers each", least, maxPoints)
	}
	for i := 0; i < len(s.Points); i += 2 {
		if !onBoard(s.Points[i], s.Points[i+1]) {
			return refuse("points: the board is %d by %d", boardWidth, boardHeight)
		}
	}
	return checkID(s.ID)
}

func (l live) check() error {
	switch {
	case len(l.At) != 0 && (len(l.At) != 2 || !onBoard(l.At[0], l.At[1])):
		return refuse("at: a point of the board, or nothing")
	case len(l.View) != 4 || !within(l.View[0], -maxView, maxView) || !within(l.View[1], -maxView, maxView) ||
		!within(l.View[2], 1, maxView) || !within(l.View[3], 1, maxView):
		return refuse("view: x, y, width and height of what is seen")
	case l.Width < 1 || l.Width > maxWidth:
		return refuse("width: from 1 to %d", maxWidth)
	case l.Stroke == nil:
		return nil
	case !within(l.Stroke.From, 0, 2*maxPoints):
		return refuse("from: how many numbers came before")
	}
	return l.Stroke.check(0) // none: the pen rests
}

// maxView bounds what a page may show around the board, in tenths of its units.
const maxView = 1_000_000

func onBoard(x, y int) bool { return within(x, 0, boardWidth) && within(y, 0, boardHeight) }

func within(n, least, most int) bool { return n >= least && n <= most }

// checkID admits what a page makes up, and a user's name.
func checkID(id string) error {
	if id == "" || len(id) > maxID || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return refuse("id: 1 to %d small letters, digits and hyphens", maxID)
	}
	return nil
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w "+format, append([]any{stentor.ErrInvalid}, args...)...)
}
