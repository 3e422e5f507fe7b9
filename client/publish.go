package client

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"
)

// Message is something to publish. Channel, User, UserName, Session, Key and Subscription say
// whom it is for, and together they must all hold; All is everyone.
type Message struct {
	Channel      string `json:"channel,omitempty"`
	User         string `json:"user,omitempty"`
	UserName     string `json:"userName,omitempty"`
	Session      string `json:"session,omitempty"`
	Key          string `json:"key,omitempty"`
	Subscription string `json:"subscription,omitempty"`
	All          bool   `json:"all,omitempty"`

	Type string `json:"type,omitempty"`
	// Data is sent as it is where it is a string, and else as JSON.
	Data any `json:"data"`
	// Subject is what the message is the latest word about: it takes the place of the one that the
	// channel kept about it. With Remove there is nothing more to say about it.
	Subject string `json:"subject,omitempty"`
	Remove  bool   `json:"remove,omitempty"`
	// Ephemeral messages are not kept, and have no position.
	Ephemeral bool `json:"ephemeral,omitempty"`

	// IdempotencyKey makes it safe to publish the message once more: the server takes what has
	// the same key, of 1 to 200 bytes, for the same message. Empty means a key of its own for each
	// Publish.
	IdempotencyKey string `json:"-"`
}

// Receipt says what became of a message.
type Receipt struct {
	ID      string `json:"id"`      // its position; empty if it is ephemeral
	Matched int    `json:"matched"` // the subscriptions that it was for, as far as the server knows
	// Durability says where the message is, as "disk"; empty: in memory.
	Durability string `json:"durability"`
	// Repeated says that the server had it already.
	Repeated bool `json:"repeated"`
}

// Publish publishes one message, and returns when the server has it. Where no answer comes, or only
// one of a server that is away (502, 503, 504), it tries twice more, with the same key, so that there is one
// message. A [Refusal] says why the server doesn't want it; after any other error it may have been
// published.
func (c *Client) Publish(ctx context.Context, m Message) (Receipt, error) {
	if m.IdempotencyKey == "" {
		m.IdempotencyKey = rand.Text()
	}
	var r Receipt
	a := call{method: http.MethodPost, url: address(c.server, "publish", nil), key: m.IdempotencyKey, in: m, out: &r}
	for wait := range 2 {
		err := c.do(ctx, a)
		if err == nil || !passing(err) || ctx.Err() != nil {
			return r, err
		}
		t := time.NewTimer(time.Duration(wait+1) * time.Second)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return r, err
		}
	}
	return r, c.do(ctx, a)
}

// passing says if the same request may be answered better the next time.
func passing(err error) bool {
	if _, ok := errors.AsType[*final](err); ok {
		return false
	}
	r, ok := errors.AsType[*Refusal](err)
	return !ok || r.Status == http.StatusBadGateway || r.Status == http.StatusServiceUnavailable || r.Status == http.StatusGatewayTimeout
}
