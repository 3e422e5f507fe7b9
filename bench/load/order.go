package load

// Order checks the sequence numbers of one connection, which are to go up by one.
type Order struct {
	last    int64
	started bool
}

// From makes seq the next that is expected. Without it any first number will do.
func (o *Order) From(seq int64) { o.last, o.started = seq-1, true }

// Last is the highest number seen so far, zero for none.
func (o *Order) Last() int64 { return o.last }

// See takes the next number: how many are missing before it, and whether it is not
// higher than one seen before. Two that were swapped are a loss and then a repeat.
func (o *Order) See(seq int64) (lost int64, repeated bool) {
	switch {
	case !o.started:
		o.started = true
	case seq <= o.last:
		return 0, true
	default:
		lost = seq - o.last - 1
	}
	o.last = seq
	return lost, false
}
