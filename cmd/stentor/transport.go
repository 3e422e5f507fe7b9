package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// maxProblem bounds what is read of an error answer, in bytes.
const maxProblem = 64 << 10

// urlFlag adds --url.
func urlFlag(cmd *cobra.Command) **url.URL {
	u := &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}
	at := &u
	cmd.Flags().Var(base(at), "url", "the server; user:password@ in it is sent as basic authentication")
	return at
}

// newClient is an HTTP client that waits at most this long for anything but the
// body of an answer. Its owner closes the idle connections.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second,
			DisableCompression:    true, // it would hold small events back
		},
		// A redirected POST becomes a GET, and a stream that moves should be told
		// by its owner: the user names the right URL.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// refusal is an answer that is not the one that was asked for.
type refusal struct {
	status int
	detail string
}

func (e *refusal) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.status, http.StatusText(e.status))
	if e.detail != "" {
		text += ": " + e.detail
	}
	return text
}

// refused reads an error answer: the detail of a problem document (RFC 9457) or
// what can be said without.
func refused(resp *http.Response) *refusal {
	e := &refusal{status: resp.StatusCode}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // "" is no problem document
	if kind == "application/problem+json" {
		var doc struct {
			Detail string `json:"detail"`
		}
		if json.NewDecoder(io.LimitReader(resp.Body, maxProblem)).Decode(&doc) == nil {
			e.detail = cut(doc.Detail, 1024)
		}
		return e
	}
	switch place := resp.Header.Get("Location"); {
	case resp.StatusCode/100 == 3 && place != "":
		e.detail = fmt.Sprintf("it points to %s; give the server that is there as --url", cut(place, 256))
	default:
		e.detail = "is that a Stentor server? Name another with --url"
	}
	return e
}

// unreachable is an error of the connection, without what http repeats.
func unreachable(server *url.URL, err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; what was on its way may have arrived")
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return fmt.Errorf("cannot reach %s: %w", server.Redacted(), err)
}

// interruptible ends ctx with the first signal to end; a second one ends the
// process.
func interruptible(ctx context.Context) (context.Context, func()) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
