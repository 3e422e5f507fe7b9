package diskbroker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/stentor-sse/stentor"
	bolt "go.etcd.io/bbolt"
)

// Import fills an empty directory with messages that have their positions, in order, so that readers of
// the old history go on in the new one. start is where the old one began
// ([Stats].Start), or zero for right before the first message. It returns how many messages it
// wrote, of which the options may keep fewer. After an error those before it are there.
func Import(ctx context.Context, dir string, o *Options, start stentor.Position, messages iter.Seq2[stentor.Message, error]) (n int, err error) {
	b, err := Open(dir, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if s := b.Stats(); s.Channels > 0 || s.Head != s.Start {
		return 0, fmt.Errorf("%w directory: %s holds a history already; import into a new one", stentor.ErrInvalid, dir)
	}
	last := start
	var batch []*request
	flush := func() error {
		done, err := b.enter(batch)
		n, batch = n+done, nil
		return err
	}
	for m, err := range messages {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return n, errors.Join(err, flush())
		}
		if err := importable(&m, last); err != nil {
			return n, errors.Join(fmt.Errorf("message %d: %w", n+len(batch)+1, err), flush())
		}
		if last == start {
			if start == 0 {
				start = m.Position - 1
			}
			b.index.reset(start)
		}
		last = m.Position
		r := newRequest()
		r.m, r.route, r.size, r.given = m, m.Target.Route(), sizeOf(&m), true
		if batch = append(batch, r); len(batch) == batchLength/4 {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, flush()
}

// importable says what is wrong with a message from outside.
func importable(m *stentor.Message, last stentor.Position) error {
	switch {
	case m.Position <= last || m.Position >= 1<<53:
		return fmt.Errorf("%w position: %d after %d; positions increase and are below 2^53", stentor.ErrInvalid, m.Position, last)
	case m.Target.Route() == "" || len(m.Target.Route()) > maxRoute:
		return fmt.Errorf("%w target: name a channel, user, session, key or subscription, or all", stentor.ErrInvalid)
	case sizeOf(m) > maxData:
		return fmt.Errorf("%w: %d bytes of data, at most %d are allowed", stentor.ErrTooLarge, len(m.Data), maxData)
	}
	if m.Ephemeral, m.Prev = false, min(max(m.Prev, 0), m.Position-1); m.Time.IsZero() {
		m.Time = time.UnixMicro(int64(m.Position))
	}
	m.Time = stamp(m.Time)
	return nil
}

// enter has messages written, and says how many were.
func (b *Broker) enter(batch []*request) (n int, err error) {
	for _, r := range batch {
		if err = b.queue.add(r); err != nil {
			return n, err
		}
	}
	for _, r := range batch {
		if o := <-r.done; o.err == nil {
			n++
		} else {
			err = o.err
		}
	}
	return n, err
}

// reset makes an empty log begin at a position, earlier than it did.
func (x *index) reset(at stentor.Position) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.start, x.head, x.floor = at, at, at
}

// Prune opens a history, trims it to the options and writes what is left to a
// new file, which takes the place of the old one when it is whole: so the disk gets
// back what the history no longer needs. It says what there was and what there is.
func Prune(dir string, o *Options) (before, after Stats, err error) {
	if before, err = inspect(dir); err != nil {
		return before, after, err
	}
	b, err := Open(dir, o)
	if err != nil {
		return before, after, err
	}
	for err == nil && b.index.lag() > 0 {
		_, err = b.wait(context.Background(), newRequest()) // a turn of the committer
	}
	if err := errors.Join(err, b.Close()); err != nil {
		return before, after, err
	}
	if err := compact(dir); err != nil {
		return before, after, fmt.Errorf("diskbroker: prune: %w", err)
	}
	after, err = inspect(dir)
	return before, after, err
}

func inspect(dir string) (Stats, error) {
	b, err := Open(dir, &Options{ReadOnly: true})
	if err != nil {
		return Stats{}, err
	}
	return b.Stats(), b.Close()
}

// compact copies the file without its holes.
func compact(dir string) error {
	s, err := openStore(dir, false) // so that nobody else writes
	if err != nil {
		return err
	}
	defer s.close()
	made := filepath.Join(dir, "history-compact.new")
	defer os.Remove(made) // unless it was renamed
	if err := os.Remove(made); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	to, err := bolt.Open(made, 0o600, boltOptions(false))
	if err != nil {
		return err
	}
	err = guarded(func() error { return bolt.Compact(to, s.db, batchBytes) })
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	if err := os.Rename(made, s.path); err != nil {
		return err
	}
	return syncDir(dir)
}
