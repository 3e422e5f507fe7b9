package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// maxInput bounds one event and one line of standard input, in bytes. It is
// above what servers take, so that theirs is the limit that is told.
const maxInput = 1 << 20

const publishHelp = `Publish one event to a channel: DATA, or standard input without its last line
break. With --lines every line of standard input is an event, published in order.

The position of each event, its id on every stream, is printed on standard output.`

func (p *program) publishCommand() *cobra.Command {
	var pub publisher
	var lines bool
	cmd := &cobra.Command{
		Use:   "publish CHANNEL [DATA]",
		Short: "Publish events to a channel",
		Long:  publishHelp,
		Example: `  stentor publish home 'hello, world'
  stentor publish home --type price --json '{"item":7,"euro":12.5}'
  date | stentor publish home
  tail -f access.log | stentor publish log --lines
  stentor publish prices --subject gold --type gold 2650   newcomers get the last about each
  stentor publish home -- -5                     DATA that begins with a dash`,
		Args: publishArguments,
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&pub.kind, "type", "", "the `type` that readers dispatch on")
	f.StringVar(&pub.subject, "subject", "", "what this is the latest word about: a `name`; it takes the place of the last one")
	f.BoolVar(&pub.remove, "remove", false, "there is nothing more to say about the subject")
	f.BoolVar(&pub.json, "json", false, "DATA, or each line, is JSON; a JSON string is sent as its text")
	f.BoolVar(&lines, "lines", false, "publish each line of standard input; with --json, blank lines are skipped")
	at := urlFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		pub.client, pub.server, pub.out, pub.channel = newClient(), *at, p.stdout, args[0]
		defer pub.client.CloseIdleConnections()
		if !lines {
			return p.publishOne(cmd.Context(), &pub, args[1:])
		}
		if len(args) > 1 {
			return misuse("publish: --lines reads standard input; leave DATA out")
		}
		ctx, stop := interruptible(cmd.Context())
		defer stop()
		return p.publishLines(ctx, &pub)
	}
	return cmd
}

func publishArguments(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return misuse("publish: name a channel: stentor publish CHANNEL [DATA]")
	case 1, 2:
		if err := checkChannel(args[0]); err != nil {
			return misuse("publish: %w", err)
		}
		return nil
	}
	return misuse("publish: %d arguments; put DATA in quotes", len(args))
}

func (p *program) publishOne(ctx context.Context, pub *publisher, args []string) error {
	var data []byte
	if len(args) == 1 {
		data = []byte(args[0])
	} else {
		var err error
		if data, err = p.readInput(); err != nil {
			return err
		}
	}
	event, err := pub.event(data)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	bad, err := pub.post(ctx, "application/json", event, 1)
	if len(bad) > 0 {
		err = bad[0].err
	}
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return pub.outErr
}

// readInput is all of standard input, without its last line break.
func (p *program) readInput() ([]byte, error) {
	if isTerminal(p.stdin) {
		p.say("reading DATA from the terminal; end it with Ctrl-D")
	}
	data, err := io.ReadAll(io.LimitReader(p.stdin, maxInput+1))
	if err != nil {
		return nil, fmt.Errorf("publish: standard input: %w", err)
	}
	if len(data) > maxInput {
		return nil, fmt.Errorf("publish: standard input is over %d bytes, too much for one event; --lines publishes each line", maxInput)
	}
	return chomp(data), nil
}

// isTerminal holds for a device that somebody may be sitting at.
func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// chomp takes one line break off the end.
func chomp(b []byte) []byte {
	if b, ok := bytes.CutSuffix(b, []byte("\n")); ok {
		return bytes.TrimSuffix(b, []byte("\r"))
	}
	return b
}

// publisher sends events of one channel and type to a server.
type publisher struct {
	client  *http.Client
	server  *url.URL
	channel string
	kind    string
	subject string
	remove  bool
	json    bool
	out     io.Writer // for the ids
	outErr  error     // the first one of out; publishing goes on without it
}

// event is the request of one event, on one line.
func (pub *publisher) event(data []byte) ([]byte, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("the data is not UTF-8; convert it, with iconv for instance")
	}
	fields := struct {
		Channel string `json:"channel"`
		Type    string `json:"type,omitempty"`
		Subject string `json:"subject,omitempty"`
		Remove  bool   `json:"remove,omitempty"`
		Data    any    `json:"data"`
	}{pub.channel, pub.kind, pub.subject, pub.remove, string(data)}
	if pub.json {
		// Unmarshal says where it is not JSON; the bytes travel as they are.
		var raw json.RawMessage
		if err := json.Unmarshal(data, &raw); err != nil {
			return nil, fmt.Errorf("the data is not JSON (%w); leave out --json to send it as text", err)
		}
		fields.Data = raw
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(fields); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// rejected is one event of several that the server did not take.
type rejected struct {
	index int // in the request
	err   error
}

// post publishes the n events of body and prints their ids. With an error it is
// not known to have published any.
func (pub *publisher) post(ctx context.Context, contentType string, body []byte, n int) ([]rejected, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, pub.server.JoinPath("publish").String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Accept", contentType+", application/problem+json")
	resp, err := pub.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%w; start a server with \"stentor serve\", or name yours with --url", unreachable(pub.server, err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, refused(resp)
	}
	return pub.answers(resp.Body, n)
}

// answers reads one answer for each event.
func (pub *publisher) answers(body io.Reader, n int) (bad []rejected, err error) {
	var ids bytes.Buffer
	d := json.NewDecoder(io.LimitReader(body, int64(n+1)*maxProblem))
	for i := range n {
		var a struct {
			ID     string `json:"id"`
			Status int    `json:"status"`
			Detail string `json:"detail"`
		}
		if err = d.Decode(&a); err != nil {
			err = fmt.Errorf("the answer ended early, so not all may be published: %w", err)
			break
		}
		if a.Status >= 400 {
			bad = append(bad, rejected{i, &refusal{a.Status, cut(a.Detail, 1024)}})
			continue
		}
		fmt.Fprintln(&ids, visible(a.ID))
	}
	if pub.outErr == nil && ids.Len() > 0 {
		if _, e := pub.out.Write(ids.Bytes()); e != nil && !readerGone(e) {
			pub.outErr = fmt.Errorf("publish: standard output: %w", e)
		}
	}
	return bad, err
}

// readerGone holds when whoever read our output has had enough, as head does.
func readerGone(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}
