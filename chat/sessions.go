package chat

import (
	"container/list"
	"crypto/rand"
	"sync"
	"time"
)

const (
	// maxSessions bounds those who have signed in. When one more comes, whoever was
	// away for longest has to sign in again.
	maxSessions = 10_000
	// sessionAge is how long a session lasts that is not used.
	sessionAge = 24 * time.Hour
)

// session is a browser whose user is known.
type session struct {
	user     User
	provider string
}

// sessions are the browsers that have signed in, by a token that only they know. They
// live in this process.
type sessions struct {
	mu      sync.Mutex // guards the rest
	byToken map[string]*list.Element
	byUse   list.List // of *entry, the latest first
}

// entry is a session with its place in the order of use.
type entry struct {
	token string
	s     *session
	used  time.Time
}

// begin gives s a token.
func (t *sessions) begin(s *session) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byToken == nil {
		t.byToken = map[string]*list.Element{}
	}
	e := &entry{token: rand.Text(), s: s, used: time.Now()}
	t.byToken[e.token] = t.byUse.PushFront(e)
	t.expire(e.used)
	for len(t.byToken) > maxSessions {
		t.drop(t.byUse.Back())
	}
	return e.token
}

// find is the session of a token, or nil. To be found is to be used.
func (t *sessions) find(token string) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.expire(now)
	at := t.byToken[token]
	if at == nil {
		return nil
	}
	t.byUse.MoveToFront(at)
	e := at.Value.(*entry)
	e.used = now
	return e.s
}

// end forgets a token.
func (t *sessions) end(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := t.byToken[token]; at != nil {
		t.drop(at)
	}
}

// expire forgets what was not used for too long. The caller holds mu.
func (t *sessions) expire(now time.Time) {
	for at := t.byUse.Back(); at != nil && now.Sub(at.Value.(*entry).used) > sessionAge; at = t.byUse.Back() {
		t.drop(at)
	}
}

// drop forgets one. The caller holds mu.
func (t *sessions) drop(at *list.Element) {
	delete(t.byToken, t.byUse.Remove(at).(*entry).token)
}
