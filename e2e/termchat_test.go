package e2e_test

import (
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// termchat is the example, with its input and output piped.
type termchat struct {
	t    *testing.T
	name string
	in   io.WriteCloser
	done chan struct{} // closed when it has ended
	err  error         // how; after done

	mu   sync.Mutex // guards text
	text strings.Builder
}

func (c *termchat) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

// shown is all that it has shown, without the times of day.
func (c *termchat) shown() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return regexp.MustCompile(`(?m)^\d\d:\d\d `).ReplaceAllString(c.text.String(), "")
}

// buildTermchat gives the program.
func buildTermchat(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "termchat")
	build := exec.Command("go", "build", "-o", program, "./examples/termchat")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// chatAt starts one, and leaves the chat when the test ends.
func chatAt(t *testing.T, program, name string, args ...string) *termchat {
	t.Helper()
	c := &termchat{t: t, name: name, done: make(chan struct{})}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = c, c
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in = in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process
		defer close(c.done)
		c.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		c.in.Close()
		select {
		case <-c.done:
		case <-time.After(patience):
			cmd.Process.Kill()
			<-c.done
			t.Errorf("%s doesn't end with its input", name)
		}
		if t.Failed() {
			t.Logf("%s shows:\n%s", name, c.shown())
		}
	})
	return c
}

func (c *termchat) types(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

// sees waits for a line.
func (c *termchat) sees(line string) {
	c.t.Helper()
	end := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains("\n"+c.shown(), "\n"+line) {
		select {
		case <-tick.C:
		case <-end:
			c.t.Fatalf("%s never sees %q; it shows:\n%s", c.name, line, c.shown())
		}
	}
}

// Two terminals, one on each face, and a page are in one room.
func TestTermchatsAndAPageTalk(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	through := newProxy(t, server.Addr)
	program := buildTermchat(t)
	ada := chatAt(t, program, "ada", "-name", "Ada", through.URL)
	ada.sees("* you are Ada, on #home")
	bob := chatAt(t, program, "bob", "-name", "Bob", "-face", "servicestack", server.URL)
	bob.sees("* you are Bob, on #home")
	page := join(newBrowser(t), "page", server.URL)
	me := page.me()
	for _, c := range []*termchat{ada, bob} {
		c.sees("* " + me + " joined #home")
	}
	page.Until("the page sees both", `["Ada", "Bob"].every(n => [...document.querySelectorAll("#people [data-user]")].some(e => e.textContent.includes(n)))`)

	ada.types("hello <b>all</b>")
	page.sees("hello <b>all</b>")
	bob.sees("#home Ada: hello <b>all</b>")
	page.say("hello terminals")
	ada.sees("#home " + me + ": hello terminals")
	bob.sees("#home " + me + ": hello terminals")
	bob.types("@" + me + " for the page alone")
	page.sees("for the page alone")
	page.say("@bob for bob alone")
	bob.sees("to you " + me + ": for bob alone")
	bob.types("/who")
	bob.sees("* on #home: Ada, Bob (you), " + me)

	through.Cut()
	ada.sees("* not connected")
	page.say("while ada is away")
	through.Mend()
	ada.sees("* connected again")
	ada.sees("#home " + me + ": while ada is away")

	page.say("evil \u001b]0;title\u0007\u001b[2J line")
	bob.sees("#home " + me + ": evil ]0;title[2J line")
	ada.types("/join news")
	ada.sees("* you write to #news now")
	ada.types("only news")
	ada.sees("#news Ada: only news")
	ada.types("/join home")
	bob.types("/quit")
	if <-bob.done; bob.err != nil {
		t.Errorf("bob ended: %v", bob.err)
	}
	ada.sees("* Bob left #home")
	page.Until("the page sees bob leave", `[...document.querySelectorAll('#log .line[data-kind=leave]')].some(e => e.textContent.includes("Bob"))`)
	ada.types("the end")
	page.sees("the end")
	for _, secret := range []string{"for the page alone", "for bob alone"} {
		if strings.Contains(ada.shown(), secret) {
			t.Errorf("ada sees %q", secret)
		}
	}
	if strings.Count(ada.shown(), "while ada is away") != 1 || strings.Contains(bob.shown(), "only news") || strings.Contains(ada.shown(), "missing") {
		t.Errorf("ada shows:\n%s\nbob shows:\n%s", ada.shown(), bob.shown())
	}
	late := chatAt(t, program, "late", server.URL)
	late.types("I was typed at once")
	page.sees("I was typed at once")
	late.sees("#home Ada: the end")
}
