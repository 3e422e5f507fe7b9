package stentor

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"time"
)

// Fingerprint is the same for messages that say the same to the same target, in every
// process: for brokers, to tell a retry from another message with its IdempotencyKey.
func (m *Message) Fingerprint() uint64 {
	h := fnv.New64a()
	t := &m.Target
	for _, s := range [...]string{
		string(t.Channel), t.User, t.UserName, t.Session, t.Key, t.Subscription, m.Type, m.Data, m.Subject,
		strconv.FormatBool(t.All), strconv.FormatBool(m.JSON), strconv.FormatBool(m.Remove),
	} {
		fmt.Fprintf(h, "%d:%s", len(s), s) // a hash never fails
	}
	return h.Sum64()
}

// Repeat is the receipt of a message that is published again, where a broker remembers the
// first by its fingerprint: the same receipt, or an error when the message is another one.
func (m *Message) Repeat(fingerprint uint64, first Receipt) (Receipt, error) {
	if m.Fingerprint() != fingerprint {
		return Receipt{}, fmt.Errorf("%w idempotency key: %.64q was used for another message; take a new key for each",
			ErrInvalid, m.IdempotencyKey)
	}
	first.Repeated = true
	return first, nil
}

// repeats are the idempotency keys that a [MemoryBroker] remembers.
type repeats struct {
	age   time.Duration
	limit int
	known map[string]repeat
	order memoryRing[string] // the keys, the oldest first
}

type repeat struct {
	fingerprint uint64
	receipt     Receipt
	at          time.Time
}

// find gives the receipt for a message that was published before.
func (r *repeats) find(m *Message, now time.Time) (Receipt, error) {
	for r.order.n > 0 && r.age > 0 && now.Sub(r.known[*r.order.at(0)].at) > r.age {
		delete(r.known, r.order.pop())
	}
	first, ok := r.known[m.IdempotencyKey]
	if !ok {
		return Receipt{}, nil
	}
	return m.Repeat(first.fingerprint, first.receipt)
}

// add remembers a message that was published, if it has a key.
func (r *repeats) add(m *Message, receipt Receipt, now time.Time) {
	if m.IdempotencyKey == "" {
		return
	}
	r.known[m.IdempotencyKey] = repeat{m.Fingerprint(), receipt, now}
	r.order.push(m.IdempotencyKey)
	for r.limit > 0 && r.order.n > r.limit {
		delete(r.known, r.order.pop())
	}
}
