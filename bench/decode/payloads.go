//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
)

// payload is a stream that repeats one frame.
type payload struct {
	name, text string
	frame      string
	events     int // in a frame
}

func payloads() []payload {
	const (
		chat  = `{"userId":"42","name":"Ada Lovelace","avatar":"/img/42.png","channel":"home","text":"Does anybody know when the next train leaves?","at":1795251572}`
		token = `{"choices":[{"index":0,"delta":{"content":" word"}}],"n":17}`
	)
	return []payload{
		{"chat", "a chat message with id and type, 190 bytes", "id: 1795251572986497\nevent: chat\ndata: " + chat + "\n\n", 1},
		{"token", "a token of a language model, 60 bytes of JSON", "data: " + token + "\n\n", 1},
		{"10 KB", "one data line of 10 KB", "id: 1795251572986497\ndata: " + strings.Repeat("0123456789", 1000) + "\n\n", 1},
		{"100 lines", "a hundred data lines of 40 bytes", "id: 1795251572986497\n" + strings.Repeat("data: "+strings.Repeat("x", 40)+"\n", 100) + "\n", 1},
		{"keepalives", "nine comments, one event of a few bytes", strings.Repeat(":\n\n", 9) + "data: 1\n\n", 1},
		{"CRLF", "the chat message with CRLF", "id: 1795251572986497\r\nevent: chat\r\ndata: " + chat + "\r\n\r\n", 1},
	}
}

// want is what n frames come to.
func (p payload) want(n int) seen {
	s := seen{events: n * p.events}
	for line := range strings.Lines(p.frame) {
		if data, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "data: "); ok {
			s.bytes += n * (len(data) + 1)
		}
	}
	s.bytes -= s.events // the last line of an event has no line feed
	return s
}

// stream gives n frames, at most a certain number of bytes with each read; zero is as many as fit.
func (p payload) stream(n, most int) io.Reader { return &frames{frame: p.frame, left: n, most: most} }

type frames struct {
	frame    string
	at, left int
	most     int
}

func (f *frames) Read(p []byte) (int, error) {
	if f.most > 0 && len(p) > f.most {
		p = p[:f.most]
	}
	n := 0
	for n < len(p) && f.left > 0 {
		m := copy(p[n:], f.frame[f.at:])
		n += m
		if f.at += m; f.at == len(f.frame) {
			f.at, f.left = 0, f.left-1
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// way is how a stream arrives.
type way struct {
	name string
	most int // bytes with a read
}

func ways() []way {
	return []way{{"as much as is asked for", 0}, {"1 KiB with each read", 1 << 10}}
}

func (s seen) String() string { return fmt.Sprintf("%d events with %d bytes", s.events, s.bytes) }
