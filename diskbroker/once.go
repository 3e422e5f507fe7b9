package diskbroker

import (
	"encoding/binary"
	"time"

	"github.com/stentor-sse/stentor"
	bolt "go.etcd.io/bbolt"
)

// onceExtra is how many idempotency keys one transaction forgets at most, beside twice
// as many as it brings.
const onceExtra = 16

// remembered is what is on disk of a message that had an idempotency key.
type remembered struct {
	position stentor.Position
	print    uint64
	kept     bool
}

func (m *remembered) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(appendKey(b, m.position), m.print)
	if m.kept {
		return append(b, 1)
	}
	return append(b, 0)
}

func readRemembered(key, record []byte) (m remembered, ok bool) {
	value, ok := sealed(key, record)
	if !ok || len(value) != 17 {
		return m, false
	}
	return remembered{readKey(value[:8]), binary.BigEndian.Uint64(value[8:]), value[16] == 1}, true
}

// sift takes the retries out of a batch: those of messages that were published before
// are answered, those of messages in the batch wait for these.
func (b *Broker) sift(batch []*request, now time.Time) (fresh []*request) {
	asked := false
	for _, r := range batch {
		asked = asked || r.once != ""
	}
	if !asked {
		return batch
	}
	err := b.store.view(func(tx *bolt.Tx) error {
		known := tx.Bucket([]byte(bucketOnce))
		first := make(map[string]*request)
		fresh = fresh[:0]
		for _, r := range batch {
			switch before := first[r.once]; {
			case r.once == "":
				fresh = append(fresh, r)
			case before != nil:
				before.same = append(before.same, r)
			case !b.repeats(known, r, now):
				fresh, first[r.once] = append(fresh, r), r
			}
		}
		return nil
	})
	if err != nil {
		answer(batch, b.fail(err))
		return nil
	}
	return fresh
}

// repeats answers a request if its message was published before.
func (b *Broker) repeats(known *bolt.Bucket, r *request, now time.Time) bool {
	if held := b.index.heldOnce(r.once); held != nil {
		r.repeat(held.print, b.receipt(held))
		return true
	}
	key := []byte(r.once)
	m, ok := readRemembered(key, known.Get(key))
	if !ok || b.options.forgets(m.position, now) {
		return false
	}
	r.repeat(m.print, b.receipt(&request{m: stentor.Message{Position: m.position}, stored: m.kept}))
	return true
}

// repeat answers with the receipt of the first message, or says that this is another one.
func (r *request) repeat(print uint64, first stentor.Receipt) {
	m := r.m
	m.IdempotencyKey = r.once
	receipt, err := m.Repeat(print, first)
	r.done <- outcome{receipt, err}
}

// forgets says that the key of a message is too old to be remembered.
func (o *Options) forgets(p stentor.Position, now time.Time) bool {
	return o.IdempotencyAge > 0 && now.UnixMicro()-int64(p) > o.IdempotencyAge.Microseconds()
}

// once remembers the keys of messages, and forgets old ones.
func (w *writer) once(list []*request, o *Options, now time.Time) {
	known, ages := w.tx.Bucket([]byte(bucketOnce)), w.tx.Bucket([]byte(bucketOnceAge))
	added := 0
	for _, r := range list {
		if r.once == "" {
			continue
		}
		added++
		w.state.once++
		w.do(func() error {
			key := []byte(r.once)
			m := remembered{r.m.Position, r.print, r.stored}
			if err := known.Put(key, seal(key, m.append(nil))); err != nil {
				return err
			}
			return ages.Put(appendKey(nil, r.m.Position), key)
		})
	}
	if added == 0 {
		return
	}
	w.do(func() error {
		for range 2*added + onceExtra {
			at, key := ages.Cursor().First()
			if at == nil || !o.forgets(readKey(at), now) && (o.IdempotencyKeys < 0 || w.state.once <= int64(o.IdempotencyKeys)) {
				return nil
			}
			if m, ok := readRemembered(key, known.Get(key)); !ok || m.position == readKey(at) { // not used again since
				if err := known.Delete(append([]byte(nil), key...)); err != nil {
					return err
				}
			}
			if err := ages.Delete(append([]byte(nil), at...)); err != nil {
				return err
			}
			w.state.once--
		}
		return nil
	})
}

// heldOnce finds a message with a key that isn't on disk yet.
func (x *index) heldOnce(key string) *request {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.once[key]
}
