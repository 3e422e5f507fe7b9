package stentor

// Refusal is an error that a face answers with a status and a text: return one
// from the functions in a face's options that look at a request.
type Refusal struct {
	// Status is an HTTP status from 400 to 599.
	Status int
	// Detail tells the caller what to change.
	Detail string
}

func (r *Refusal) Error() string { return "stentor: refused: " + r.Detail }
