package diskbroker

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// holderName is the file that says who has the directory. The lock itself is the
// system's, on the store, and ends with its process.
const holderName = "history.lock"

// holder is who has the directory.
type holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Program string    `json:"program"`
	Since   time.Time `json:"since"`
}

// hold writes down who we are, for others. It is a courtesy: an error changes nothing.
func hold(dir string) {
	h := holder{PID: os.Getpid(), Program: filepath.Base(os.Args[0]), Since: time.Now().Round(time.Second).UTC()}
	h.Host, _ = os.Hostname()
	if text, err := json.Marshal(h); err == nil {
		_ = os.WriteFile(filepath.Join(dir, holderName), append(text, '\n'), 0o600)
	}
}

func release(dir string) { _ = os.Remove(filepath.Join(dir, holderName)) }

// locked names who has the directory.
func locked(dir string) error {
	who := "another process"
	var h holder
	if text, err := os.ReadFile(filepath.Join(dir, holderName)); err == nil && json.Unmarshal(text, &h) == nil && h.PID > 0 {
		who = fmt.Sprintf("process %d (%.64q on %.64q) since %s", h.PID, h.Program, h.Host, h.Since.Format(time.RFC3339))
	}
	return fmt.Errorf("%w: %s has %s; stop it, or choose another directory", ErrLocked, who, dir)
}
