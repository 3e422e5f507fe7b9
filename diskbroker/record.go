package diskbroker

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	"github.com/stentor-sse/stentor"
)

// A record is a message on disk: a byte for the format, a checksum of its key and of
// what follows, its place, its flags, the texts that the flags say are there each with
// its length, and the data.
const (
	recordFormat = 1
	recordHead   = 5
	keySize      = 8
)

const (
	flagJSON = 1 << iota
	flagAll
	flagType   // and the texts that follow, in the order of texts
	flagRemove = flagType << 8
)

var errRecord = errors.New("diskbroker: not a record")

// texts are the fields of m that are empty more often than not.
func texts(m *stentor.Message) [8]*string {
	t := &m.Target
	return [...]*string{&m.Type, (*string)(&t.Channel), &t.User, &t.UserName, &t.Session, &t.Key, &t.Subscription, &m.Subject}
}

func checksum(key, body []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(key, table), table, body)
}

func appendKey(b []byte, p stentor.Position) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(p))
}

func readKey(key []byte) stentor.Position {
	if len(key) != keySize {
		return 0
	}
	return stentor.Position(binary.BigEndian.Uint64(key))
}

// appendRecord appends m, whose place is known.
func appendRecord(b []byte, m *stentor.Message) []byte {
	start := len(b)
	b = append(b, recordFormat, 0, 0, 0, 0)
	b = binary.AppendUvarint(b, uint64(m.Position-m.Prev))
	b = binary.AppendVarint(b, m.Time.UnixNano()-int64(m.Position)*1000)
	flags := uint64(0)
	if m.JSON {
		flags |= flagJSON
	}
	if m.Target.All {
		flags |= flagAll
	}
	if m.Remove {
		flags |= flagRemove
	}
	list := texts(m)
	for i, s := range list {
		if *s != "" {
			flags |= flagType << i
		}
	}
	b = binary.AppendUvarint(b, flags)
	for _, s := range list {
		if *s != "" {
			b = binary.AppendUvarint(b, uint64(len(*s)))
			b = append(b, *s...)
		}
	}
	b = append(b, m.Data...)
	record := b[start:]
	var key [keySize]byte
	binary.LittleEndian.PutUint32(record[1:], checksum(appendKey(key[:0], m.Position), record[recordHead:]))
	return b
}

// readRecord is the message under a key. It keeps nothing of value.
func readRecord(key, value []byte) (stentor.Message, error) {
	if !isRecord(key, value) {
		return stentor.Message{}, errRecord
	}
	m, data, err := parse(key, string(value[recordHead:])) // one copy for all its texts
	m.Data = data
	return m, err
}

// readHead is readRecord without the data, of which it gives the length.
func readHead(key, value []byte) (stentor.Message, int, error) {
	if !isRecord(key, value) {
		return stentor.Message{}, 0, errRecord
	}
	m, data, err := parse(key, value[recordHead:])
	return m, len(data), err
}

func isRecord(key, value []byte) bool {
	return len(key) == keySize && len(value) >= recordHead && value[0] == recordFormat &&
		binary.LittleEndian.Uint32(value[1:]) == checksum(key, value[recordHead:])
}

// parse takes a record's body apart, up to the data.
func parse[T string | []byte](key []byte, body T) (m stentor.Message, data T, err error) {
	r := reader[T]{rest: body}
	m.Position = readKey(key)
	m.Prev = m.Position - stentor.Position(r.uvarint())
	m.Time = time.Unix(0, r.varint()+int64(m.Position)*1000).UTC()
	flags := r.uvarint()
	m.JSON, m.Target.All, m.Remove = flags&flagJSON != 0, flags&flagAll != 0, flags&flagRemove != 0
	for i, s := range texts(&m) {
		if flags&(flagType<<i) != 0 {
			*s = r.text()
		}
	}
	if r.bad || m.Prev < 0 || m.Prev >= m.Position || m.Target.Route() == "" {
		return stentor.Message{}, data, errRecord
	}
	return m, r.rest, nil
}

// reader takes a record apart. Once bad, it gives zeros.
type reader[T string | []byte] struct {
	rest T
	bad  bool
}

func (r *reader[T]) uvarint() uint64 {
	var v uint64
	for i := range min(len(r.rest), binary.MaxVarintLen64) {
		c := r.rest[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return v
		}
	}
	r.bad = true
	return 0
}

func (r *reader[T]) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader[T]) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}
