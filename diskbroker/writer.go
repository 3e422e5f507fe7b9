package diskbroker

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/stentor-sse/stentor"
	bolt "go.etcd.io/bbolt"
)

// state is written with every transaction. What is on disk has to agree with it: the
// store itself does not notice when a page of it has changed.
type state struct {
	bounds   bounds
	head     stentor.Position
	messages int64 // records in their bucket
	channels int64
	floors   int64
	once     int64 // idempotency keys, those included that were used again
}

func (s *state) fields() [7]*int64 {
	return [...]*int64{(*int64)(&s.bounds.start), (*int64)(&s.bounds.floor), (*int64)(&s.head), &s.messages, &s.channels, &s.floors, &s.once}
}

func (s *state) append(b []byte) []byte {
	for _, f := range s.fields() {
		b = binary.BigEndian.AppendUint64(b, uint64(*f))
	}
	return b
}

// read takes the state from its record, or reports that it is none.
func (s *state) read(key, record []byte) bool {
	value, ok := sealed(key, record)
	if !ok || len(value) != len(s.fields())*8 {
		return false
	}
	for i, f := range s.fields() {
		*f = int64(binary.BigEndian.Uint64(value[i*8:]))
	}
	return true
}

// seal appends a checksum to a small record.
func seal(key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(value, checksum(key, value))
}

// sealed is the value of a small record, if its checksum is right.
func sealed(key, record []byte) (value []byte, ok bool) {
	n := len(record) - crc32.Size
	if n < 0 || binary.BigEndian.Uint32(record[n:]) != checksum(key, record[:n]) {
		return nil, false
	}
	return record[:n], true
}

// sealedNumber is the number in a small record.
func sealedNumber(key, record []byte) (int64, bool) {
	value, ok := sealed(key, record)
	if !ok || len(value) != 8 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(value)), true
}

// putNumber writes a small record.
func putNumber(b *bolt.Bucket, key []byte, n int64) error {
	return b.Put(key, seal(key, binary.BigEndian.AppendUint64(nil, uint64(n))))
}

// writer puts things into one transaction. After an error it does nothing more.
type writer struct {
	tx                         *bolt.Tx
	messages, channels, floors *bolt.Bucket
	state                      state
	err                        error
}

func newWriter(tx *bolt.Tx, s state) *writer {
	bucket := func(name string) *bolt.Bucket { return tx.Bucket([]byte(name)) }
	w := &writer{tx: tx, messages: bucket(bucketMessages), channels: bucket(bucketChannels), floors: bucket(bucketFloors), state: s}
	w.messages.FillPercent = 0.95 // positions only grow
	return w
}

// do notes the first error.
func (w *writer) do(f func() error) {
	if w.err == nil {
		w.err = f()
	}
}

// batch puts messages, and raises the head. Of one that is not kept, its channel's
// record says that it was.
func (w *writer) batch(list []*request) {
	for _, r := range list {
		switch {
		case r.route == "":
			continue
		case r.stored:
			w.put(&r.m)
		default:
			w.number(w.channels, r.route, r.m.Position, &w.state.channels)
		}
		w.state.head = r.m.Position
	}
}

func (w *writer) put(m *stentor.Message) {
	w.do(func() error {
		// The store keeps key and value until the transaction ends.
		b := make([]byte, 0, keySize+recordHead+32+int(sizeOf(m)))
		b = appendRecord(appendKey(b, m.Position), m)
		w.state.messages++
		return w.messages.Put(b[:keySize:keySize], b[keySize:])
	})
}

// number puts a position of a channel.
func (w *writer) number(b *bolt.Bucket, name stentor.Channel, p stentor.Position, count *int64) {
	w.do(func() error {
		key := []byte(name)
		if b.Get(key) == nil {
			*count++
		}
		return putNumber(b, key, int64(p))
	})
}

// rubbish takes away what was trimmed. Channels that were forgotten come first: one of
// the same name may have begun anew.
func (w *writer) rubbish(r rubbish) {
	for _, name := range r.forgotten {
		w.take(w.channels, []byte(name), &w.state.channels)
		w.take(w.floors, []byte(name), &w.state.floors)
	}
	for _, g := range r.gone {
		w.take(w.messages, appendKey(nil, g.position), &w.state.messages)
	}
	for name, p := range r.emptied {
		w.number(w.channels, name, p, &w.state.channels)
	}
	for name, p := range r.floors {
		w.number(w.floors, name, p, &w.state.floors)
	}
	w.state.bounds = r.bounds
}

// take takes a record away, if it is there.
func (w *writer) take(b *bolt.Bucket, key []byte, count *int64) {
	w.do(func() error {
		c := b.Cursor()
		if found, _ := c.Seek(key); string(found) != string(key) {
			return nil
		}
		*count--
		return c.Delete()
	})
}

// end writes the state.
func (w *writer) end() error {
	w.do(func() error {
		key := []byte(metaState)
		return w.tx.Bucket([]byte(bucketMeta)).Put(key, seal(key, w.state.append(nil)))
	})
	return w.err
}
