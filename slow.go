package stentor

// SlowPolicy says what becomes of a reader that has fallen behind what may wait for it.
// Whatever it misses, it is told.
type SlowPolicy int

const (
	// SlowResume lets it read on from the history, as fast as it can. What has gone
	// from there too is a gap.
	SlowResume SlowPolicy = iota
	// SlowSkip drops what it has yet to get: it is told of the gap and is live again. It is
	// for readers whom only the present matters to.
	SlowSkip
	// SlowEnd ends it with [ErrSlow]. It may come back, and its cursor with it.
	SlowEnd
)

// fall is what becomes of a reader whose queue was full: messages up to target are
// missing from it. It gives what the reader is told. One that has yet to catch up for the first
// time is not slow: what it read meanwhile was history.
func (r *reader) fall(target Position, lost bool) ([]item, error) {
	if r.lived {
		switch r.s.hub.o.Slow {
		case SlowEnd:
			return nil, ErrSlow
		case SlowSkip:
			return r.skip(target), nil
		}
	}
	r.behind, r.target, r.reason, r.lost = true, target, GapSlow, r.lost || lost
	return nil, nil
}

// skip goes on after target.
func (r *reader) skip(target Position) []item {
	gap := &Gap{Reason: GapSlow, After: r.cursor}
	r.behind, r.lost, r.cursor = false, false, max(r.cursor, target)
	return []item{r.gap(gap, r.cursor)}
}
