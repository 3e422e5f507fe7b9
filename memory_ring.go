package stentor

// memoryRing is a queue in one slice. It grows and shrinks so that at most two
// thirds of it are unused, at a constant cost per push and pop.
// The zero value is empty.
type memoryRing[T any] struct {
	buf  []T
	head int
	n    int
}

// at is the i-th value from the front. The pointer is good until the next change.
func (r *memoryRing[T]) at(i int) *T {
	if i += r.head; i >= len(r.buf) {
		i -= len(r.buf)
	}
	return &r.buf[i]
}

func (r *memoryRing[T]) push(v T) {
	if r.n == len(r.buf) {
		r.resize()
	}
	r.n++
	*r.at(r.n - 1) = v
}

// pop takes the front value out and leaves nothing of it behind.
func (r *memoryRing[T]) pop() T {
	var zero T
	front := r.at(0)
	v := *front
	*front = zero
	if r.head++; r.head == len(r.buf) {
		r.head = 0
	}
	if r.n--; r.n <= len(r.buf)/3 {
		r.resize()
	}
	return v
}

// retain drops the values that keep refuses.
func (r *memoryRing[T]) retain(keep func(*T) bool) {
	var zero T
	n := 0
	for i := range r.n {
		v := r.at(i)
		if !keep(v) {
			continue
		}
		if i != n {
			*r.at(n) = *v
		}
		n++
	}
	for i := n; i < r.n; i++ {
		*r.at(i) = zero
	}
	if r.n = n; r.n <= len(r.buf)/3 {
		r.resize()
	}
}

// resize makes room for half as many again, or lets go of everything.
func (r *memoryRing[T]) resize() {
	var buf []T
	if r.n > 0 || len(r.buf) == 0 {
		buf = make([]T, r.n+r.n/2+1)
	}
	for i := range r.n {
		buf[i] = *r.at(i)
	}
	r.buf, r.head = buf, 0
}
