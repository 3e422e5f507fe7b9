package client

import (
	"bytes"
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

// refused makes a Refusal of an answer; a proxy's has no detail.
func refused(status int, answer []byte) *Refusal {
	var doc struct{ Detail string }
	if json.Unmarshal(answer, &doc) != nil {
		return &Refusal{Status: status}
	}
	return &Refusal{Status: status, Detail: doc.Detail}
}

// refusal makes one of what ended a stream, if it is an answer.
func refusal(err error) error {
	r, ok := errors.AsType[*eventsource.ResponseError](err)
	if !ok || r.Status == http.StatusOK || r.Status == http.StatusNoContent {
		return err
	}
	return refused(r.Status, r.Body)
}

// call sends one request that is no stream, and once more with a new token where that was refused.
// in and out are JSON; a nil in has no body.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("client: %w", err)
		}
	}
	if c.o.CallTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.o.CallTimeout)
		defer cancel()
	}
	status, answer, err := c.send(ctx, method, path, query, body, false)
	if err == nil && status == http.StatusUnauthorized && c.o.Token != nil {
		status, answer, err = c.send(ctx, method, path, query, body, true)
	}
	if err != nil {
		return err
	}
	if status/100 != 2 {
		return refused(status, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("client: /%s: %w; is the URL that of a plain face?", path, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, query url.Values, body []byte, renew bool) (int, []byte, error) {
	u := c.server.JoinPath(path)
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("client: %w", err)
	}
	for name, values := range c.o.Header {
		r.Header[name] = values
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
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
