package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is a flag that reads itself: its errors say what to give. The same
// reading serves the command line, the environment and the file.
type value[T any] struct {
	at    *T
	kind  string // stands for the value in help
	parse func(string) (T, error)
	show  func(T) string
}

// Set implements pflag.Value.
func (v *value[T]) Set(s string) error {
	x, err := v.parse(s)
	if err == nil {
		*v.at = x
	}
	return err
}

// String implements pflag.Value.
func (v *value[T]) String() string { return v.show(*v.at) }

// Type implements pflag.Value.
func (v *value[T]) Type() string { return v.kind }

// count is a whole number from low on.
func count(at *int, low int) *value[int] {
	return &value[int]{at, "N", func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < low {
			return 0, fmt.Errorf("give a whole number of %d or more", low)
		}
		return n, nil
	}, strconv.Itoa}
}

// duration is a time of low or more.
func duration(at *time.Duration, low time.Duration) *value[time.Duration] {
	return &value[time.Duration]{at, "DURATION", func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, errors.New("give a number with its unit, like 90s, 15m or 24h")
		}
		if d < low {
			return 0, fmt.Errorf("give %v or more", low)
		}
		return d, nil
	}, func(d time.Duration) string {
		s := d.String()
		if strings.HasSuffix(s, "m0s") {
			s = strings.TrimSuffix(s, "0s")
		}
		if strings.HasSuffix(s, "h0m") {
			s = strings.TrimSuffix(s, "0m")
		}
		return s
	}}
}

// units of a size, the longer ones first where one ends like the other.
func units() []struct {
	suffix string
	bytes  int64
} {
	return []struct {
		suffix string
		bytes  int64
	}{
		{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
		{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1},
	}
}

// size is a number of bytes, at least one.
func size(at *int64) *value[int64] {
	return &value[int64]{at, "SIZE", func(s string) (int64, error) {
		digits, unit := s, int64(1)
		for _, u := range units() {
			if i := len(s) - len(u.suffix); i > 0 && strings.EqualFold(s[i:], u.suffix) {
				digits, unit = strings.TrimSpace(s[:i]), u.bytes
				break
			}
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 1 || n > math.MaxInt64/unit {
			return 0, errors.New("give bytes, or a whole number with its unit, like 64MiB or 1GB")
		}
		return n * unit, nil
	}, func(n int64) string {
		for _, u := range units() {
			if n >= u.bytes && n%u.bytes == 0 && u.bytes&(u.bytes-1) == 0 {
				return strings.TrimSuffix(strconv.FormatInt(n/u.bytes, 10)+u.suffix, "1B")
			}
		}
		return strconv.FormatInt(n, 10)
	}}
}

// choice is one of some words.
func choice(at *string, words ...string) *value[string] {
	return &value[string]{at, strings.Join(words, "|"), func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", errors.New("give one of " + strings.Join(words, ", "))
		}
		return s, nil
	}, func(s string) string { return s }}
}

// level is a log level.
func level(at *slog.Level) *value[slog.Level] {
	words := []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	show := func(l slog.Level) string { return strings.ToLower(l.String()) }
	return &value[slog.Level]{at, "debug|info|warn|error", func(s string) (slog.Level, error) {
		for _, l := range words {
			if show(l) == s {
				return l, nil
			}
		}
		return 0, errors.New("give one of debug, info, warn, error")
	}, show}
}

// address is where to listen: host and port. That it is loopback is listen's to say.
func address(at *string) *value[string] {
	return &value[string]{at, "HOST:PORT", func(s string) (string, error) {
		host, port, err := net.SplitHostPort(s)
		if err != nil {
			return "", errors.New("give host and port, like 127.0.0.1:8080; port 0 picks a free one")
		}
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", errors.New("give a port from 0 to 65535")
		}
		if strings.Contains(host, ":") {
			if _, err := netip.ParseAddr(host); err != nil {
				return "", errors.New("give an IPv6 address in brackets, like [::1]:8080")
			}
		}
		return s, nil
	}, func(s string) string { return s }}
}

// path is the name of a file.
func path(at *string) *value[string] {
	show := func(s string) string { return s }
	return &value[string]{at, "FILE", func(s string) (string, error) { return s, nil }, show}
}

// base is the URL that paths of the server are joined to; at is nil while there is none.
func base(at **url.URL) *value[*url.URL] {
	return &value[*url.URL]{at, "URL", parseBase, func(u *url.URL) string {
		if u == nil {
			return ""
		}
		return u.String()
	}}
}

func parseBase(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("give a URL like http://127.0.0.1:8080 or https://events.example")
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errors.New("leave out what follows ? or #")
	}
	return u, nil
}

// list is a flag that may be repeated, each time with one value or several
// between commas. The first replaces the default.
type list struct {
	at    *[]string
	kind  string
	check func(string) error
	given bool
}

// Set implements pflag.Value.
func (l *list) Set(s string) error {
	var all []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if err := l.check(part); err != nil {
			return err
		}
		all = append(all, part)
	}
	if l.given {
		all = append(*l.at, all...)
	}
	*l.at, l.given = all, true
	return nil
}

// String implements pflag.Value.
func (l *list) String() string { return strings.Join(*l.at, ",") }

// Type implements pflag.Value.
func (l *list) Type() string { return l.kind }

// checkOrigin takes "*" and what a browser sends as Origin: scheme, host, port.
func checkOrigin(s string) error {
	if s == "*" {
		return nil
	}
	u, err := parseBase(s)
	if err != nil || u.User != nil || u.Path != "" && u.Path != "/" {
		return errors.New("give an origin like https://app.example, or * for everyone")
	}
	return nil
}
