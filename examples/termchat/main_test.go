package main

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/client"
)

func TestConversation(t *testing.T) {
	each(t, func(t *testing.T, s *server, face string) {
		ada := s.open("-face", face, "-name", "Ada Lovelace")
		ada.expect("ada", "* you are Ada Lovelace, on #home; /help says what you can do")
		bob := s.open("-face", face)
		bob.expect("bob", "* you are user1, on #home; /help says what you can do")
		ada.expect("ada", "* user1 joined #home")
		bob.types("hello", "  two  spaces", "", "//slash", "/who")
		lines := []string{"#home user1: hello", "#home user1:   two  spaces", "#home user1: /slash"}
		ada.expect("ada", lines...)
		bob.expect("bob", append(lines, "* on #home: Ada Lovelace, user1 (you)")...)

		ada.types("/join #news", "first", "/join home", "/msg USER1 for you alone", "@user1: and this", "/who news")
		ada.expect("ada", "* you write to #news now", "#news Ada Lovelace: first", "* you write to #home now",
			"to user1 Ada Lovelace: for you alone", "to user1 Ada Lovelace: and this", "* on #news: Ada Lovelace (you)")
		bob.expect("bob", "to you Ada Lovelace: for you alone", "to you Ada Lovelace: and this")
		bob.types("@AdaLovelace thanks", "/JOIN news")
		bob.expect("bob", "to Ada Lovelace user1: thanks", "* you write to #news now", "#news Ada Lovelace: first")
		ada.expect("ada", "to you user1: thanks", "* user1 joined #news")

		ada.types("/leave", "/history")
		ada.expect("ada", "* you left #home, and write to #news")
		bob.expect("bob", "* Ada Lovelace left #home")
		bob.types("still here", "/quit")
		<-bob.done
		if bob.err != nil {
			t.Errorf("bob ended with %v", bob.err)
		}
		ada.expect("ada", "#news user1: still here", "* user1 left #news")

		late := s.open("-face", face, "-channels", "home,#news", "-history", "2")
		late.expect("one who comes late", "* you are user2, on #home, #news; /help says what you can do",
			"#home user1:   two  spaces", "#home user1: /slash", "#news Ada Lovelace: first", "#news user1: still here")
	})
}

func TestWhatCannotBeDone(t *testing.T) {
	each(t, func(t *testing.T, s *server, face string) {
		ada, bob := s.open("-face", face, "-name", "Ada"), s.open("-face", face)
		ada.shows()
		bob.shows()
		bob.types("/nonsense x", "/join", "/join a@b", "/leave", "/leave news", "/who news", "/msg", "@ada", "/msg nobody hi", strings.Repeat("x", 2001))
		got := strings.Split(bob.shows(), "\n")
		want := []string{"there is no /nonsense", "write which channel", "leave out spaces", "the only channel", "not on #news", "not on #news",
			"write the name", "write the name", "nobody here is called nobody", "not sent: client: the server answered 413", ""}
		if len(got) != len(want) {
			t.Fatalf("it shows %q", got)
		}
		for i := range got {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("it shows %q, want %q", got[i], want[i])
			}
		}
		s.open("-face", face, "-name", "A.da") // another, whose handle differs
		twin := s.open("-face", face, "-name", "A da")
		bob.shows()
		bob.types("/msg Ada hi")
		if got := bob.shows(); !strings.Contains(got, "several people here are called Ada; nothing was sent") {
			t.Errorf("it shows %q", got)
		}
		twin.types("/help")
		if got := twin.shows(); strings.Count(got, "\n") != len(commands())+2 || !strings.Contains(got, "*   /join CHANNEL") {
			t.Errorf("help is %q", got)
		}
		bob.types("/quit")
		if <-bob.done; bob.err == nil || bob.err.Error() != "lines that were not sent: 1" {
			t.Errorf("ended with %v", bob.err)
		}
	})
}

// What others write stays text, in lines of their own.
func TestHostileText(t *testing.T) {
	each(t, func(t *testing.T, s *server, face string) {
		w := s.open("-face", face, "-color", "always")
		w.shows()
		publish := func(typ, data string) {
			t.Helper()
			m := stentor.Message{Target: stentor.Target{Channel: "home"}, Type: typ, Data: data, JSON: data[0] == '{'}
			if _, err := s.hub.Publish(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		publish("chat", `{"id":9001,"fromUserId":"\u001b[2J","fromName":"E\u001b]0;title\u0007\nve\u202e","message":"a\u001b[1A\u009b2Jb\r\n* user1 left #home\n\u0000c\u2028d"}`)
		publish("chat", `{"id":9001,"fromName":"again","message":"the same id"}`)
		publish("chat", `{"message":7}`)
		publish("chat", `{"id":9002,"message":"`+strings.Repeat(`x\n`, 100)+`"}`)
		publish("announce", "\x1b]0;x\x07\nlisten")
		publish("", "plain\x1b[5m")
		got := w.shows()
		for _, code := range []string{"\x1b[2m", "\x1b[0m", "\x1b[1;"} {
			got = strings.ReplaceAll(got, code, "")
		}
		for _, c := range got {
			if c < ' ' && c != '\n' || c >= 0x7f && c < 0xa0 || c == '\u202e' || c == '\u2028' {
				t.Errorf("it shows %q", got)
				break
			}
		}
		lines := strings.Split(got, "\n")
		for _, want := range []string{"      | * user1 left #home", "      | c d", "* announcement: ]0;x listen"} {
			if !slices.Contains(lines, want) {
				t.Errorf("no line %q in %q", want, lines)
			}
		}
		if strings.Contains(got, "the same id") || strings.Count(got, "      | x") != maxLines-1 || !strings.Contains(got, "(81 more lines)") && !strings.Contains(got, "(80 more lines)") {
			t.Errorf("it shows %q", got)
		}
	})
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, ünïcödé 日本 👩‍👩‍👧": "plain text, ünïcödé 日本 👩‍👩‍👧",
		"\x1b[31mred\x1b[0m":      "[31mred[0m",
		"\x9b31m\u009b31m":        "\ufffd31m31m",
		"a\tb\nc\rd":              "a b c d",
		"\u202eabc\u2066\u200b":   "abc",
		"\a\b\x00\x7f":            "",
		strings.Repeat("é", 5000): strings.Repeat("é", maxRunes) + "…",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"": "(nameless)", " \x00 ": "(nameless)", "a\n b": "a b", strings.Repeat("x", 50): strings.Repeat("x", 39) + "…"} {
		if got := shortName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// The server goes away and comes back: it is said once, and what is typed meanwhile waits.
func TestReconnects(t *testing.T) {
	each(t, func(t *testing.T, s *server, face string) {
		w := s.open("-face", face)
		w.shows()
		s.shutdown()
		time.Sleep(20 * time.Second)
		if got := w.shows(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "* not connected (") {
			t.Errorf("it shows %q", got)
		}
		w.types("hello?")
		w.shows()
		s.restart()
		time.Sleep(time.Minute)
		if got := w.shows(); !strings.Contains(got, "* connected again\n") {
			t.Errorf("it shows %q", got)
		}
		w.types("are you there")
		w.expect("again", "#home user1: are you there")
		s.hub.Reset() // the server forgets everybody
		time.Sleep(time.Minute)
		if got := w.shows(); !strings.HasSuffix(got, "* connected again; you are user2 now\n") {
			t.Errorf("it shows %q", got)
		}
		w.types("and now")
		w.expect("after a reset", "#home user2: and now")
	})
}

// A subscription that the server doesn't know any more is replaced when one speaks.
func TestForgotten(t *testing.T) {
	each(t, func(t *testing.T, s *server, face string) {
		w := s.open("-face", face)
		w.shows()
		// The same client with another hub, as after a restart behind a proxy that holds on to the stream.
		old := s.hub
		s.restart()
		w.types("hello")
		if got := w.shows(); !strings.Contains(got, "* connected again\n") || !strings.Contains(got, "#home user1: hello\n") {
			t.Errorf("it shows %q", got)
		}
		if err := old.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestInputEnds(t *testing.T) {
	each(t, func(t *testing.T, s *server, face string) {
		ada := s.open("-face", face)
		ada.shows()
		pipe := s.open("-face", face, "-name", "Builder")
		io.WriteString(pipe.in, strings.Repeat("x", maxLine+10)+"\nthe build is done")
		pipe.in.Close()
		if <-pipe.done; pipe.err == nil || !strings.Contains(pipe.err.Error(), "lines that were not sent: 1") { // the long one
			t.Errorf("ended with %v", pipe.err)
		}
		ada.expect("ada", "* Builder joined #home", "#home Builder: the build is done", "* Builder left #home")
		stays := s.open("-face", face, "-stay", "-name", "Listener")
		stays.in.Close()
		ada.types("hello")
		if got := stays.shows(); !strings.HasSuffix(got, "#home user1: hello\n") {
			t.Errorf("it shows %q", got)
		}
		stays.stop() // as an interrupt does
		if <-stays.done; stays.err != nil {
			t.Errorf("ended with %v", stays.err)
		}
		ada.expect("ada", "* Listener joined #home", "#home user1: hello", "* Listener left #home")
	})
}

func TestSignInThatCannotBe(t *testing.T) {
	each(t, func(t *testing.T, s *server, face string) {
		w := s.open("-face", face, "-name", "user1")
		if <-w.done; w.err == nil || !strings.Contains(w.err.Error(), "doesn't take it") {
			t.Errorf("ended with %v", w.err)
		}
		w = s.openAt(s.URL+"/elsewhere", "-face", face, "-name", "Ada")
		if <-w.done; w.err == nil || !strings.Contains(w.err.Error(), "can't sign in by name") {
			t.Errorf("ended with %v", w.err)
		}
		w = s.openAt(s.URL+"/elsewhere", "-face", face)
		if <-w.done; w.err == nil || !strings.Contains(w.err.Error(), "404") {
			t.Errorf("ended with %v", w.err)
		}
		w = s.openAt("chat.test")
		if <-w.done; w.err == nil || !strings.Contains(w.err.Error(), "no address") {
			t.Errorf("ended with %v", w.err)
		}
	})
}

func TestArguments(t *testing.T) {
	for args, want := range map[string]string{
		"-channels ,":     "names none",
		"-face soap":      "plain or servicestack",
		"-color red":      "auto, always or never",
		"http://a http:/": "one URL is enough",
		"-nothing":        "not defined",
	} {
		if _, err := parse(strings.Fields(args), io.Discard, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	var out strings.Builder
	if _, err := parse([]string{"-h"}, &out, false); !errors.Is(err, flag.ErrHelp) || !strings.Contains(out.String(), "/join CHANNEL") {
		t.Errorf("help: %v\n%s", err, out.String())
	}
	t.Setenv("NO_COLOR", "")
	s, err := parse([]string{"-face", "servicestack", "-channels", " #a, b,", "http://x"}, &out, true)
	if err != nil || s.face != client.ServiceStack || !slices.Equal(s.channels, []string{"a", "b"}) || s.url != "http://x" || !s.color {
		t.Errorf("%+v, %v", s, err)
	}
}
