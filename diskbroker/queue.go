package diskbroker

import (
	"sync"

	"github.com/stentor-sse/stentor"
)

// Bounds of what is written with one transaction.
const (
	batchLength = 4096
	batchBytes  = 8 << 20
)

// request is what one caller waits for: a message to keep, or numbers to reserve.
type request struct {
	m       stentor.Message
	route   stentor.Channel // empty: no message
	counter string          // empty: none
	given   bool            // m has its position already: it is imported
	once    string          // m's idempotency key, which goes no further
	print   uint64          // with one: m's fingerprint
	done    chan outcome    // takes one outcome

	size    int64 // what m counts for
	stored  bool  // m is kept
	channel *channel
	same    []*request // with the same key, which came while this one was under way
}

// outcome is how it ended.
type outcome struct {
	receipt stentor.Receipt
	err     error
}

func newRequest() *request { return &request{done: make(chan outcome, 1)} }

// queue is what the committer has yet to take. It holds one request for each caller that
// waits, so it needs no bound of its own.
type queue struct {
	wake chan struct{} // has a value when there may be something to take

	mu     sync.Mutex // guards the rest
	list   []*request
	closed bool
}

func (q *queue) add(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return stentor.ErrClosed
	}
	if q.list = append(q.list, r); len(q.list) == 1 {
		q.signal()
	}
	return nil
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// cancel takes a request out again, unless the committer has it.
func (q *queue) cancel(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, have := range q.list {
		if have == r {
			q.list = append(q.list[:i:i], q.list[i+1:]...)
			return true
		}
	}
	return false
}

// take gives what one transaction may hold.
func (q *queue) take() (batch []*request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, int64(0)
	for n < len(q.list) && n < batchLength && (n == 0 || bytes+q.list[n].size <= batchBytes) {
		bytes += q.list[n].size
		n++
	}
	batch = q.list[:n:n]
	if q.list = shift(q.list, n); len(q.list) > 0 {
		q.signal()
	}
	return batch
}

// close refuses what comes later. What waits is still for the committer.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
