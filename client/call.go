package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/stentor-sse/stentor/eventsource"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 16 << 20

// Refusal is an answer that says no.
type Refusal struct {
	Status int
	Detail string // what to change, in the server's words
}

func (e *Refusal) Error() string {
	text := fmt.Sprintf("client: the server answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*Refusal](err)
	return ok
}

// refused makes a Refusal of an answer, a problem document or ServiceStack's envelope; a proxy's has
// no detail.
func refused(status int, answer []byte) *Refusal {
	var doc struct {
		Detail         string
		ResponseStatus struct{ Message string }
	}
	if json.Unmarshal(answer, &doc) != nil {
		return &Refusal{Status: status}
	}
	return &Refusal{Status: status, Detail: cmp.Or(doc.Detail, doc.ResponseStatus.Message)}
}

// refusal makes one of what ended a stream, if it is an answer.
func refusal(err error) error {
	r, ok := errors.AsType[*eventsource.ResponseError](err)
	if !ok || r.Status == http.StatusOK || r.Status == http.StatusNoContent {
		return err
	}
	return refused(r.Status, r.Body)
}

// Call asks another service of the same server, as who this client is: with its token, its headers and
// its cookies, those that the answer sets included. After a sign-in, Restart has the stream be of
// the one who has signed in.
//
// path is under the server's address, and may have a query. in is sent as JSON, [url.Values] as a form; out gets the
// JSON of the answer; nil: none. A [Refusal] says that the server doesn't want it. Redirects are not followed; 303, with
// which forms are answered, is a yes for who wants no more.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" {
		return fmt.Errorf("client: %.200q is no path under the server's address", path)
	}
	at := c.server.JoinPath(u.EscapedPath())
	at.RawQuery = u.RawQuery
	return c.do(ctx, call{method: method, url: at, in: in, out: out})
}

// call is one request that is no stream.
type call struct {
	method  string
	url     *url.URL
	key     string // makes it safe to repeat; empty: none
	in, out any    // JSON, or a form; nil: none
}

// body is what it sends.
func (a *call) body() ([]byte, error) {
	if a.in == nil {
		return nil, nil
	}
	if form, ok := a.in.(url.Values); ok {
		return []byte(form.Encode()), nil
	}
	return json.Marshal(a.in)
}

// contentType is that of the body.
func (a *call) contentType() string {
	if _, ok := a.in.(url.Values); ok {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

// do sends a call, and once more with a new token where that was refused.
func (c *Client) do(ctx context.Context, a call) error {
	body, err := a.body()
	if err != nil {
		return &final{fmt.Errorf("client: %w", err)}
	}
	if c.o.CallTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.o.CallTimeout)
		defer cancel()
	}
	status, answer, err := c.send(ctx, a, body, false)
	if err == nil && status == http.StatusUnauthorized && c.o.Token != nil {
		status, answer, err = c.send(ctx, a, body, true)
	}
	if err != nil {
		return err
	}
	if status/100 != 2 && !(status == http.StatusSeeOther && a.out == nil) {
		return refused(status, answer)
	}
	if a.out == nil || len(answer) == 0 && status == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(answer, a.out); err != nil {
		return &final{fmt.Errorf("client: %s: %w; is the URL that of a Stentor server?", a.url.Path, err)}
	}
	return nil
}

// final is an error that comes again each time.
type final struct{ err error }

func (e *final) Error() string { return e.err.Error() }
func (e *final) Unwrap() error { return e.err }

func (c *Client) send(ctx context.Context, a call, body []byte, renew bool) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, a.method, a.url.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, &final{fmt.Errorf("client: %w", err)}
	}
	for name, values := range c.o.Header {
		r.Header[name] = values
	}
	if body != nil {
		r.Header.Set("Content-Type", a.contentType())
	}
	r.Header.Set("Accept", "application/json")
	if a.key != "" {
		r.Header.Set("Idempotency-Key", `"`+a.key+`"`)
	}
	if err := c.authorize(r, renew); err != nil {
		return 0, nil, err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if u, ok := err.(*url.Error); ok {
			err = u.Err // without the URL
		}
		return 0, nil, fmt.Errorf("client: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, fmt.Errorf("client: %w", err)
	}
	return resp.StatusCode, answer, nil
}
