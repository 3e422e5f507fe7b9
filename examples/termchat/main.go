// Termchat is a chat in the terminal: a client of any Stentor server with the Chat services, as "stentor demo"
// is. Pages of the same server are in the same room.
//
//	go run ./cmd/stentor demo                          # in one terminal
//	go run ./examples/termchat                         # in another, and another
//	go run ./examples/termchat -name Ada -channels home,news
//	echo "the build is done" | go run ./examples/termchat -name builder
//
// It works line by line, so it needs no terminal: a pipe will do. What others write can't move the cursor, set the title or
// pass for a line of somebody else's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"

	"github.com/stentor-sse/stentor/client"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second interrupt ends it at once
	s, err := parse(os.Args[1:], os.Stderr, isTerminal(os.Stdout))
	if err == nil {
		err = run(ctx, s, os.Stdin, os.Stdout)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "termchat:", clean(err.Error()))
		os.Exit(1)
	}
}

const usage = `Chat in the terminal.

  termchat [flags] [URL]

URL is that of a Stentor server with the Chat application; http://127.0.0.1:8080 if
there is none, where "stentor demo" listens.

  termchat                                   be somebody on the channel home
  termchat -name Ada -channels home,news     sign in, and be on two channels
  termchat https://chat.example              on another server
  echo hello | termchat -name builder        say one thing
  tail -f log | termchat -name log           say what comes
  termchat -stay < /dev/null                 listen only

Lines that you write go to the channel that you joined last; these don't:
`

// settings are what the flags say.
type settings struct {
	url      string
	channels []string
	name     string
	face     client.Face
	history  int
	color    bool
	stay     bool
	http     *http.Client // nil: the client's own
}

// parse reads the arguments.
func parse(args []string, out io.Writer, terminal bool) (*settings, error) {
	s := &settings{url: "http://127.0.0.1:8080"}
	f := flag.NewFlagSet("termchat", flag.ContinueOnError)
	f.SetOutput(out)
	f.Usage = func() {
		fmt.Fprintf(out, "%s\n%s\nFlags:\n", usage, commandHelp())
		f.PrintDefaults()
	}
	channels := f.String("channels", "home", "`channels` to join, with commas between them")
	f.StringVar(&s.name, "name", "", "sign in as `name`, where the server lets everybody say who they are")
	face := f.String("face", "plain", "`protocol` to speak: plain or servicestack")
	f.IntVar(&s.history, "history", 20, "`how many` earlier messages of each channel to show")
	color := f.String("color", "auto", "colours: auto, always or never")
	f.BoolVar(&s.stay, "stay", false, "go on listening when the input ends")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	for _, name := range strings.Split(*channels, ",") {
		if name = channelName(name); name != "" {
			s.channels = append(s.channels, name)
		}
	}
	switch f.NArg() {
	case 0:
	case 1:
		s.url = f.Arg(0)
	default:
		return nil, fmt.Errorf("one URL is enough; flags stand before it")
	}
	switch {
	case len(s.channels) == 0:
		return nil, fmt.Errorf("-channels names none")
	case *face == "plain":
	case *face == "servicestack":
		s.face = client.ServiceStack
	default:
		return nil, fmt.Errorf("-face %q: it is plain or servicestack", *face)
	}
	switch *color {
	case "auto":
		s.color = terminal && os.Getenv("NO_COLOR") == ""
	case "always":
		s.color = true
	case "never":
	default:
		return nil, fmt.Errorf("-color %q: it is auto, always or never", *color)
	}
	return s, nil
}

// channelName is a channel as somebody types it: the # is a habit.
func channelName(s string) string { return strings.TrimPrefix(strings.TrimSpace(s), "#") }

// run chats until the input or ctx ends, or the server wants no more.
func run(ctx context.Context, s *settings, in io.Reader, out io.Writer) error {
	v, err := newVisitor(s, &screen{w: out, color: s.color})
	if err != nil {
		return err
	}
	if s.name != "" {
		if err := v.signIn(ctx, s.name); err != nil {
			return err
		}
	}
	over := make(chan error, 1)
	go func() { over <- v.client.Run(context.Background()) }() // Close ends it, and is told
	defer context.AfterFunc(ctx, v.client.Close)()

	lines := make(chan string)
	done := make(chan struct{})
	defer close(done)
	go read(in, lines, done) // ends with the input; the end of the program is the end of one that never does
	for {
		select {
		case line, ok := <-lines:
			switch {
			case ok && v.obey(ctx, line):
			case ok || !s.stay:
				v.client.Close()
				return errors.Join(<-over, v.unsaid())
			default:
				lines = nil
			}
		case err := <-over:
			return err
		}
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// signIn says who this is. Everything from then on is of that user.
func (v *visitor) signIn(ctx context.Context, name string) error {
	err := v.client.Call(ctx, "POST", "auth/name", url.Values{"name": {name}}, nil)
	if r, ok := errors.AsType[*client.Refusal](err); ok {
		switch r.Status {
		case 400:
			return fmt.Errorf("-name %q: the server doesn't take it; take letters and digits, 32 at most, and no name like user1", name)
		case 404:
			return fmt.Errorf("-name: one can't sign in by name on this server; leave it out")
		}
	}
	return err
}
