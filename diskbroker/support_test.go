package diskbroker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

func to(ch stentor.Channel) stentor.Target { return stentor.Target{Channel: ch} }

func put(t testing.TB, b *diskbroker.Broker, ch stentor.Channel, data string) stentor.Position {
	t.Helper()
	r, err := b.Publish(t.Context(), stentor.Message{Target: to(ch), Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return r.Position
}

func attach(t testing.TB, b *diskbroker.Broker) stentor.Link {
	t.Helper()
	link, err := b.Attach(t.Context(), nobody{})
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func kept(t testing.TB, b *diskbroker.Broker, channels ...stentor.Channel) (list []stentor.Message) {
	t.Helper()
	err := attach(t, b).Replay(t.Context(), channels, 0, 1<<53, func(page []stentor.Message) bool {
		list = append(list, page...)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func window(t testing.TB, b *diskbroker.Broker, channels ...stentor.Channel) stentor.Window {
	t.Helper()
	w, err := attach(t, b).Window(t.Context(), channels)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// filled is a directory with a history of some messages on three channels, and what it holds.
func filled(t testing.TB, messages int) (dir string, list []stentor.Message) {
	t.Helper()
	dir = t.TempDir()
	begin := stentor.Position(time.Now().UnixMicro()) - stentor.Position(messages)
	_, err := diskbroker.Import(t.Context(), dir, nil, 0, func(yield func(stentor.Message, error) bool) {
		for i := range messages {
			m := stentor.Message{Target: to(stentor.Channel(fmt.Sprint("c", i%3))), Data: fmt.Sprint("message ", i)}
			m.Position = begin + stentor.Position(i)
			if !yield(m, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, dir, nil)
	list = kept(t, b, "c0", "c1", "c2")
	shut(t, b)
	return dir, list
}

func file(dir string) string { return filepath.Join(dir, "history.db") }

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// overwrite changes bytes of a file in place.
func overwrite(t testing.TB, name string, at int64, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(text), at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
