package main

import (
	"sync"
	"time"
)

const (
	perSecond = 40     // messages of a user; pages send up to 30
	burst     = 120    // that may come together, as after a lost connection
	maxPaced  = 10_000 // users who have published a moment ago
)

// pace bounds how fast each user publishes.
type pace struct {
	mu    sync.Mutex
	users map[string]*bucket // guarded by mu
}

// bucket is how many messages a user has left.
type bucket struct {
	left float64
	at   time.Time
}

// take reports whether a user may publish one more now.
func (p *pace) take(user string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	b := p.users[user]
	if b == nil {
		if len(p.users) >= maxPaced && !p.sweep(now) {
			return false
		}
		b = &bucket{left: burst, at: now}
		p.users[user] = b
	}
	b.left = min(b.left+perSecond*now.Sub(b.at).Seconds(), burst)
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// sweep forgets those whose bucket is full again: as if they had never been here. The
// caller holds mu.
func (p *pace) sweep(now time.Time) (room bool) {
	for user, b := range p.users {
		if b.left+perSecond*now.Sub(b.at).Seconds() >= burst {
			delete(p.users, user)
		}
	}
	return len(p.users) < maxPaced
}
