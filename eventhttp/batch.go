package eventhttp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/problem"
)

const (
	// maxLines bounds a batch.
	maxLines = 1000
	// maxIdempotencyKey leaves room for the number of a line behind it.
	maxIdempotencyKey = 200
)

// line is one message of a batch and where it stood.
type line struct {
	number  int
	message stentor.Message
}

// publishBatch publishes one message for each line, in their order. Every line is read,
// approved and checked before the first is published: an answer with an error
// status means that nothing was. What the broker refuses later is told in the line's
// place, and the rest goes on.
func (f *Face) publishBatch(w http.ResponseWriter, r *http.Request, body []byte) {
	lines, err := f.parseBatch(r, body)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for i, l := range lines {
		answer, err := f.hub.Publish(r.Context(), l.message)
		switch {
		case err == nil:
			err = enc.Encode(newReceipt(answer))
		case i == 0 && len(lines) == 1:
			f.refuse(w, r, inLine(l.number, err))
			return
		default:
			err = enc.Encode(problem.Of(err))
		}
		if err != nil { // a few strings and numbers: can't be
			f.refuse(w, r, err)
			return
		}
	}
	respond(w, "application/x-ndjson", out.Bytes())
}

// parseBatch reads all lines or says which one is bad. Empty lines are skipped.
func (f *Face) parseBatch(r *http.Request, body []byte) ([]line, error) {
	key, err := idempotencyKey(r)
	if err != nil {
		return nil, err
	}
	var lines []line
	number := 0
	for text := range bytes.Lines(body) {
		number++
		text = bytes.TrimRight(text, "\r\n")
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		if len(lines) == maxLines {
			return nil, fmt.Errorf("%w: more than %d lines; send the rest in another request", stentor.ErrTooLarge, maxLines)
		}
		m, err := parseJSON(text)
		if err == nil && key != "" { // one for each line, the same in a retry
			m.IdempotencyKey = fmt.Sprintf("%s %d", key, number)
		}
		if err == nil {
			err = f.o.Publish(r, &m)
		}
		if err == nil {
			err = f.hub.Check(m)
		}
		if err != nil {
			return nil, inLine(number, err)
		}
		lines = append(lines, line{number, m})
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%w batch: it is empty; send one JSON object a line", stentor.ErrInvalid)
	}
	return lines, nil
}

// inLine is err with the number of the line it is about, for the caller and for the
// log.
func inLine(number int, err error) error {
	d := problem.Of(err)
	if d.Status == http.StatusInternalServerError {
		return fmt.Errorf("eventhttp: line %d: %w", number, err)
	}
	return &stentor.Refusal{Status: d.Status, Detail: fmt.Sprintf("line %d: %s", number, d.Detail)}
}
