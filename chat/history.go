package chat

import (
	"cmp"
	"slices"
	"sync"

	"github.com/stentor-sse/stentor"
)

const (
	// maxRooms bounds the channels with a history: anybody may make up channels.
	maxRooms = 256
	// maxBytes bounds the history in all, counting texts and an allowance for each
	// message.
	maxBytes  = 8 << 20
	allowance = 256
)

// message is what the services answer, keep and publish: ServiceStack's
// ChatMessage, with what its page could not know added at the end.
type message struct {
	ID          int64           `json:"id"`
	Channel     stentor.Channel `json:"channel"`
	FromUserID  string          `json:"fromUserId"`
	FromName    string          `json:"fromName"`
	DisplayName string          `json:"displayName,omitempty"`
	Text        string          `json:"message"`
	UserAuthID  string          `json:"userAuthId,omitempty"`
	Private     bool            `json:"private"`

	ToUserID  string `json:"toUserId,omitempty"`   // of a private message
	ToName    string `json:"toName,omitempty"`     // if that user is here
	Note      string `json:"note,omitempty"`       // for the sender alone
	Picture   string `json:"profileUrl,omitempty"` // of the sender, who may be gone when it is read
	CreatedAt int64  `json:"createdAt"`            // in Unix milliseconds
}

func (m *message) size() int {
	return len(m.Text) + len(m.Channel) + len(m.FromName) + len(m.FromUserID) + len(m.UserAuthID) + len(m.Picture) + allowance
}

// history keeps the newest public messages of each channel, within bounds. It lives
// in this process alone.
type history struct {
	perRoom int

	mu    sync.Mutex // guards the rest
	rooms map[stentor.Channel]*room
	bytes int
	uses  uint64
}

type room struct {
	messages []*message // by id
	used     uint64     // the number of the latest use
}

func newHistory(perRoom int) *history {
	return &history{perRoom: perRoom, rooms: map[stentor.Channel]*room{}}
}

// add keeps m, and lets go of what is over the bounds: the channel's oldest, and the
// channels that were quiet for longest.
func (h *history) add(m *message) {
	if h.perRoom == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[m.Channel]
	if r == nil {
		r = &room{}
		h.rooms[m.Channel] = r
	}
	h.uses++
	r.used = h.uses
	// Two that were posted together may come here in the other order.
	at, _ := slices.BinarySearchFunc(r.messages, m.ID, byID)
	r.messages = slices.Insert(r.messages, at, m)
	h.bytes += m.size()
	if over := len(r.messages) - h.perRoom; over > 0 {
		h.drop(r, 0, over)
	}
	for len(h.rooms) > maxRooms || h.bytes > maxBytes && len(h.rooms) > 1 {
		h.forgetQuietest()
	}
	for h.bytes > maxBytes && len(r.messages) > 1 {
		h.drop(r, 0, 1)
	}
}

// remove takes back a message that was not published after all.
func (h *history) remove(m *message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[m.Channel]
	if r == nil {
		return
	}
	if i, ok := slices.BinarySearchFunc(r.messages, m.ID, byID); ok {
		h.drop(r, i, i+1)
	}
}

// read gives the newest messages after an id, at most take for each channel,
// by id.
func (h *history) read(channels []stentor.Channel, after int64, take int) []*message {
	out := []*message{} // never null in JSON
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ch := range channels {
		r := h.rooms[ch]
		if r == nil {
			continue
		}
		from, found := slices.BinarySearchFunc(r.messages, after, byID)
		if found {
			from++
		}
		out = append(out, r.messages[max(from, len(r.messages)-take):]...)
	}
	slices.SortFunc(out, func(a, b *message) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// clear forgets the messages of the channels.
func (h *history) clear(channels []stentor.Channel) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ch := range channels {
		h.forget(ch)
	}
}

func (h *history) forget(ch stentor.Channel) {
	if r := h.rooms[ch]; r != nil {
		h.drop(r, 0, len(r.messages))
		delete(h.rooms, ch)
	}
}

// drop takes messages i to j out of r.
func (h *history) drop(r *room, i, j int) {
	for _, m := range r.messages[i:j] {
		h.bytes -= m.size()
	}
	r.messages = slices.Delete(r.messages, i, j)
}

// forgetQuietest forgets the channel that was quiet for longest. There are few, and
// it is rare.
func (h *history) forgetQuietest() {
	var quietest stentor.Channel
	first := true
	for ch, r := range h.rooms {
		if first || r.used < h.rooms[quietest].used {
			quietest, first = ch, false
		}
	}
	h.forget(quietest)
}

func byID(m *message, id int64) int { return cmp.Compare(m.ID, id) }
