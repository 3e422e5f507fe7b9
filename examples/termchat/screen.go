package main

import (
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	maxLines = 20 // of one message
	maxRunes = 4000
	maxName  = 40
)

// screen shows lines, of which others have written parts: it alone writes, and all text passes clean on its way. It is
// safe for any goroutine.
type screen struct {
	mu    sync.Mutex // guards w
	w     io.Writer
	color bool
}

// message shows what somebody said. place is a channel, or whom it is for.
func (s *screen) message(at time.Time, place, user, name, text string) {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	if more := len(lines) - maxLines; more > 0 {
		lines = append(lines[:maxLines], fmt.Sprintf("(%d more lines)", more))
	}
	head := s.paint("2", at.Format("15:04")+" "+clean(place)) + " " + s.paint(colorOf(user), shortName(name)+":")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	s.write(head + " " + strings.Join(lines, "\n      | ")) // no line of a text begins as one of the screen's
}

// notice shows what happened.
func (s *screen) notice(format string, args ...any) {
	s.write(s.paint("2", "* "+clean(fmt.Sprintf(format, args...))))
}

func (s *screen) write(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	io.WriteString(s.w, line+"\n") // without a reader there is nobody to tell
}

func (s *screen) paint(code, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// colorOf is a user's, the same wherever it is shown.
func colorOf(user string) string {
	h := fnv.New32a()
	io.WriteString(h, user)
	codes := [...]string{"1;31", "1;32", "1;33", "1;34", "1;35", "1;36", "1;91", "1;92", "1;93", "1;94", "1;95", "1;96"}
	return codes[h.Sum32()%uint32(len(codes))]
}

// shortName is a name that fits into a line, and that isn't missing.
func shortName(name string) string {
	name = strings.Join(strings.Fields(clean(name)), " ")
	if name == "" {
		return "(nameless)"
	}
	if r := []rune(name); len(r) > maxName {
		return string(r[:maxName-1]) + "…"
	}
	return name
}

// clean is a text that does nothing to a terminal but be there: without control characters, which begin its
// commands, without those that turn or end lines, and not endless.
func clean(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			r = ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d': // that joins emoji
			continue
		}
		if n++; n > maxRunes {
			b.WriteString("…")
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
