package main

// maxIDs is how many messages are known by their id.
const maxIDs = 4096

// ids are the newest that were added.
type ids struct {
	known map[int64]bool
	order []int64 // a ring
	next  int
}

func newIDs() ids { return ids{known: map[int64]bool{}} }

// add is false for one that is known.
func (s *ids) add(id int64) bool {
	if s.known[id] {
		return false
	}
	s.known[id] = true
	if len(s.order) < maxIDs {
		s.order = append(s.order, id)
		return true
	}
	delete(s.known, s.order[s.next])
	s.order[s.next] = id
	s.next = (s.next + 1) % maxIDs
	return true
}
