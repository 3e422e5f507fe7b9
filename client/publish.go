package client

import (
	"context"
	"net/http"
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
	// Ephemeral messages are not kept, and have no position.
	Ephemeral bool `json:"ephemeral,omitempty"`
}

// Receipt says what became of a message.
type Receipt struct {
	ID      string `json:"id"`      // its position; empty if it is ephemeral
	Matched int    `json:"matched"` // the subscriptions that it was for, as far as the server knows
}

// Publish publishes one message, and returns when the server has it. A [Refusal] says why it
// doesn't want it; after any other error it may have been published.
func (c *Client) Publish(ctx context.Context, m Message) (Receipt, error) {
	var r Receipt
	err := c.call(ctx, http.MethodPost, "publish", nil, m, &r)
	return r, err
}
