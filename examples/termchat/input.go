package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stentor-sse/stentor/client"
)

// maxLine is the longest line that is read, in bytes. The services take less.
const maxLine = 64 << 10

// read hands lines over until the input ends or nobody wants them.
func read(in io.Reader, lines chan<- string, done <-chan struct{}) {
	defer close(lines)
	r := bufio.NewReaderSize(in, maxLine)
	for {
		line, err := r.ReadSlice('\n')
		text := string(line)
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a line that is too long
			_, err = r.ReadSlice('\n')
		}
		if text != "" {
			select {
			case lines <- strings.TrimRight(text, "\r\n"):
			case <-done:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// command is what a line that begins with a slash does.
type command struct {
	name, takes, does string
	run               func(v *visitor, ctx context.Context, argument string) error
}

func commands() []command {
	return []command{
		{"join", "CHANNEL", "join a channel, and write there", (*visitor).join},
		{"leave", "[CHANNEL]", "leave it", (*visitor).leave},
		{"who", "[CHANNEL]", "who is there", (*visitor).who},
		{"msg", "NAME TEXT", "tell somebody alone; @NAME TEXT does too", (*visitor).tell},
		{"history", "[CHANNEL]", "what was said there, as far as it wasn't shown", (*visitor).again},
		{"help", "", "this", (*visitor).help},
		{"quit", "", "leave the chat", nil},
	}
}

// commandHelp lists the commands.
func commandHelp() string {
	var b strings.Builder
	for _, k := range commands() {
		fmt.Fprintf(&b, "  %-22s %s\n", strings.TrimSpace("/"+k.name+" "+k.takes), k.does)
	}
	fmt.Fprintf(&b, "  %-22s %s\n", "//text", "say a line that begins with a slash")
	return b.String()
}

// obey does what a line says, and is false if that is to end.
func (v *visitor) obey(ctx context.Context, line string) bool {
	var err error
	name, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
	argument = strings.TrimSpace(argument)
	switch {
	case name == "":
	case strings.HasPrefix(name, "//"):
		err = v.say(ctx, line[strings.Index(line, "/")+1:], "")
	case strings.HasPrefix(name, "/"):
		known := commands()
		i := slices.IndexFunc(known, func(k command) bool { return "/"+k.name == strings.ToLower(name) })
		switch {
		case i < 0:
			err = fmt.Errorf("there is no %s; /help says what there is, and //… says a line that begins with a slash", name)
		case known[i].run == nil:
			return false
		default:
			err = known[i].run(v, ctx, argument)
		}
	case len(name) > 1 && name[0] == '@':
		err = v.tell(ctx, name[1:]+" "+argument)
	default:
		err = v.say(ctx, line, "")
	}
	if err != nil {
		v.screen.notice("%v", err)
	}
	return true
}

// tell says something to one user.
func (v *visitor) tell(ctx context.Context, argument string) error {
	name, text, _ := strings.Cut(argument, " ")
	text = strings.TrimSpace(text)
	if name = strings.Trim(name, "@,:;"); name == "" || text == "" {
		return errors.New("write the name and what you want to say, as in /msg ada hello")
	}
	if _, err := v.subscription(ctx); err != nil { // before it nobody is known
		return err
	}
	m, err := v.find(name)
	if err != nil {
		return err
	}
	return v.say(ctx, text, m.User)
}

// find is the user of a name as one types it, without spaces and in any case. Nobody is guessed at.
func (v *visitor) find(name string) (client.Member, error) {
	found := map[string]client.Member{}
	for _, ch := range v.client.Channels() {
		for _, m := range v.client.Members(ch) {
			if strings.EqualFold(strings.Join(strings.Fields(m.Name), ""), name) {
				found[m.User] = m
			}
		}
	}
	for _, m := range found {
		if len(found) == 1 {
			return m, nil
		}
		return m, fmt.Errorf("several people here are called %s; nothing was sent", name)
	}
	return client.Member{}, fmt.Errorf("nobody here is called %s; /who says who is here", name)
}

// writingTo is the channel that lines go to.
func (v *visitor) writingTo() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.current
}

// channel is the one that an argument names, or the current one.
func (v *visitor) channel(argument string) string {
	if name := channelName(argument); name != "" {
		return name
	}
	return v.writingTo()
}

func (v *visitor) join(ctx context.Context, argument string) error {
	name := channelName(argument)
	if name == "" {
		return errors.New("write which channel, as in /join news")
	}
	known := slices.Contains(v.client.Channels(), name)
	if !known {
		if err := v.client.Join(ctx, name); err != nil {
			return err
		}
		v.look(name)
	}
	v.mu.Lock()
	v.current = name
	v.mu.Unlock()
	v.screen.notice("you write to #%s now", name)
	if !known {
		v.recall(name)
	}
	return nil
}

func (v *visitor) leave(ctx context.Context, argument string) error {
	name, channels := v.channel(argument), v.client.Channels()
	switch {
	case !slices.Contains(channels, name):
		return fmt.Errorf("you are not on #%s", name)
	case len(channels) == 1:
		return errors.New("it is the only channel you are on; /quit leaves the chat")
	}
	if err := v.client.Leave(ctx, name); err != nil {
		return err
	}
	v.mu.Lock()
	delete(v.here, name)
	if v.current == name {
		v.current = v.client.Channels()[0]
	}
	now := v.current
	v.mu.Unlock()
	v.screen.notice("you left #%s, and write to #%s", name, now)
	return nil
}

func (v *visitor) who(ctx context.Context, argument string) error {
	if _, err := v.subscription(ctx); err != nil {
		return err
	}
	name := v.channel(argument)
	if !slices.Contains(v.client.Channels(), name) {
		return fmt.Errorf("you are not on #%s; /join it to see who is", name)
	}
	v.mu.Lock()
	me := v.me.User
	v.mu.Unlock()
	var names []string
	for _, m := range v.client.Members(name) {
		n := shortName(m.Name)
		if m.User == me {
			n += " (you)"
		}
		names = append(names, n)
	}
	v.screen.notice("on #%s: %s", name, strings.Join(names, ", "))
	return nil
}

// again shows the history once more, where it wasn't shown.
func (v *visitor) again(_ context.Context, argument string) error {
	v.recall(v.channel(argument))
	return nil
}

func (v *visitor) help(context.Context, string) error {
	for line := range strings.Lines(commandHelp()) {
		v.screen.notice("%s", strings.TrimRight(line, "\n"))
	}
	return nil
}
