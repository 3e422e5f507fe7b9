package diskbroker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// fileName is the store in the directory of a history.
const fileName = "history.db"

// newPattern is what it is called while it is made.
const newPattern = "history-*.new"

// lockPatience is how long Open waits for another process to end.
const lockPatience = 300 * time.Millisecond

// The buckets of the store.
const (
	bucketMessages = "messages" // position → record
	bucketChannels = "channels" // channel of which the newest message is gone → its position
	bucketFloors   = "floors"   // channel of which messages are gone that others took the place of → its floor
	bucketCounters = "counters" // name → the highest number that may have been given
	bucketMeta     = "meta"
	bucketOnce     = "once"      // idempotency key → what became of its message
	bucketOnceAge  = "once-ages" // position of that message → the key
)

func buckets() []string {
	return []string{bucketMessages, bucketChannels, bucketFloors, bucketCounters, bucketMeta, bucketOnce, bucketOnceAge}
}

// Keys of meta.
const (
	metaState = "state"
	metaOpen  = "open" // there while a process holds messages that aren't on disk
)

// store is the file: what is written with one transaction is there whole or not at all.
type store struct {
	path   string
	db     *bolt.DB
	file   *os.File // db's
	broken bool     // a write of db has panicked: it may still hold its locks
}

// openStore opens the file, and makes it when there is none.
func openStore(dir string, readOnly bool) (*store, error) {
	path := filepath.Join(dir, fileName)
	if err := makeFile(dir, path, readOnly); err != nil {
		return nil, err
	}
	if err := checkFile(path); err != nil {
		return nil, err
	}
	s := &store{path: path}
	err := guarded(func() (err error) {
		o := boltOptions(readOnly)
		o.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
			s.file, err = os.OpenFile(name, flag, mode)
			return s.file, err
		}
		s.db, err = bolt.Open(path, 0o600, o)
		return err
	})
	if err != nil && s.file != nil { // opening may have panicked half way
		_ = errors.Join(unlock(s.file), s.file.Close())
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, locked(dir)
	case errors.Is(err, ErrDamaged):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("diskbroker: open %s: %w", path, err)
	}
	return s, nil
}

func boltOptions(readOnly bool) *bolt.Options {
	return &bolt.Options{
		Timeout: lockPatience, ReadOnly: readOnly,
		FreelistType: bolt.FreelistMapType, NoStatistics: true,
	}
}

// makeFile makes the directory and an empty store, under another name until it is
// whole: so a file that is too short was cut.
func makeFile(dir, path string, readOnly bool) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return wrapOpen(err)
	}
	if readOnly {
		return fmt.Errorf("diskbroker: %s holds no history: %w", dir, os.ErrNotExist)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return wrapOpen(err)
	}
	f, err := os.CreateTemp(dir, newPattern)
	if err != nil {
		return wrapOpen(err)
	}
	made := f.Name()
	defer os.Remove(made) // what is left of it
	if err := f.Close(); err != nil {
		return wrapOpen(err)
	}
	db, err := bolt.Open(made, 0o600, boltOptions(false))
	if err != nil {
		return wrapOpen(err)
	}
	s := &store{path: made, db: db}
	err = s.update(func(tx *bolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err = errors.Join(err, db.Close()); err == nil {
		// Not over a file that another process has made meanwhile, where the system can tell.
		if err = os.Link(made, path); errors.Is(err, os.ErrExist) {
			err = nil
		} else if err != nil {
			err = os.Rename(made, path)
		}
	}
	if err == nil {
		err = syncDir(dir)
	}
	return wrapOpen(err)
}

func wrapOpen(err error) error {
	if err != nil {
		err = fmt.Errorf("diskbroker: open: %w; give a directory that this process can write to", err)
	}
	return err
}

// syncDir makes the names in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// close lets go of the file, after the last write. When that has panicked, closing the store
// could wait for its own locks for ever: then the file stays mapped until the process ends, but no longer locked.
func (s *store) close() error {
	if s.broken {
		return errors.Join(unlock(s.file), s.file.Close())
	}
	return s.db.Close()
}

// view reads. It must be short: while it runs the file can't grow.
func (s *store) view(f func(tx *bolt.Tx) error) error {
	return guarded(func() error { return s.db.View(f) })
}

// update writes, and returns when it is on disk. Only one goroutine may call it.
func (s *store) update(f func(tx *bolt.Tx) error) error {
	return guarded(func() error {
		s.broken = true
		err := s.db.Update(f)
		s.broken = false
		return err
	})
}

// guarded turns what the store does on a damaged file (it panics, or reads where the
// file has ended) into an error.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged("%v", p)
		}
	}()
	return f()
}
