package diskbroker

import (
	"github.com/stentor-sse/stentor"
	bolt "go.etcd.io/bbolt"
)

// writer puts things into one transaction. After an error it does nothing more.
type writer struct {
	tx                 *bolt.Tx
	messages, channels *bolt.Bucket
	err                error
	b                  []byte
}

// do notes the first error.
func (w *writer) do(f func() error) {
	if w.err == nil {
		w.err = f()
	}
}

func (w *writer) put(m *stentor.Message) {
	w.do(func() error {
		// The store keeps key and value until the transaction ends.
		w.b = make([]byte, 0, keySize+recordHead+32+int(sizeOf(m)))
		w.b = appendKey(w.b, m.Position)
		w.b = appendRecord(w.b, m)
		return w.messages.Put(w.b[:keySize:keySize], w.b[keySize:])
	})
}

// batch puts messages, and raises the head. Of one that is not kept, its channel's
// record says that it was.
func (w *writer) batch(list []*request) {
	for _, r := range list {
		if r.route == "" {
			continue
		}
		if r.stored {
			w.put(&r.m)
		} else {
			w.last(r.route, r.m.Position)
		}
		w.do(func() error { return w.messages.SetSequence(uint64(r.m.Position)) })
	}
}

func (w *writer) last(name stentor.Channel, p stentor.Position) {
	w.do(func() error { return w.channels.Put([]byte(name), appendKey(nil, p)) })
}

// rubbish takes away what was trimmed. Channels that were forgotten come first: one of
// the same name may have begun anew.
func (w *writer) rubbish(r rubbish) {
	for _, name := range r.forgotten {
		w.do(func() error { return w.channels.Delete([]byte(name)) })
	}
	for _, g := range r.gone {
		w.do(func() error { return w.messages.Delete(appendKey(nil, g.position)) })
	}
	for name, p := range r.emptied {
		w.last(name, p)
	}
	if len(r.gone)+len(r.forgotten) > 0 {
		w.do(func() error { return w.place(r.start, r.floor) })
	}
}

// place writes where the log begins.
func (w *writer) place(start, floor stentor.Position) error {
	meta := w.tx.Bucket([]byte(bucketMeta))
	if err := putPosition(meta, metaStart, start); err != nil {
		return err
	}
	return putPosition(meta, metaFloor, floor)
}
