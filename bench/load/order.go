package load

// Order checks the sequence numbers of one connection, which are to go up by one.
type Order struct {
	last    int64
	seen    uint64 // of last and the 63 numbers before it
	started bool
}

// Place is what a sequence number is to those that came before it.
type Place uint8

// The places of a number. Whether one that is more than 63 below the highest came late or twice
// is not known any more: it is a repeat then.
const (
	InOrder  Place = iota // above all of them
	Late                  // one that was missing
	Repeated              // one that was there
)

// From makes seq the next that is expected. Without it any first number will do.
func (o *Order) From(seq int64) { o.last, o.seen, o.started = seq-1, ^uint64(0), true }

// See takes the next number: its place, and how many are missing before it.
func (o *Order) See(seq int64) (place Place, missing int64) {
	if !o.started {
		o.From(seq)
	}
	if back := o.last - seq; back >= 0 {
		if back > 63 || o.seen>>back&1 == 1 {
			return Repeated, 0
		}
		o.seen |= 1 << back
		return Late, 0
	}
	step := seq - o.last
	o.last, o.seen = seq, o.seen<<step|1
	return InOrder, step - 1
}
