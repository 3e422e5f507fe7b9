package diskbroker

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/stentor-sse/stentor"
)

var (
	// ErrLocked is wrapped by the error of [Open] when another process has the
	// directory. The text names it.
	ErrLocked = errors.New("diskbroker: in use")
	// ErrDamaged is wrapped by errors about a file that was cut or overwritten. The text
	// says what to do.
	ErrDamaged = errors.New("diskbroker: damaged")
	// ErrFull is wrapped by the errors of Publish and Next while the disk is full. Reading goes on, and
	// publishing with the first message that finds room. A face answers it with 507.
	ErrFull = errors.New("diskbroker: the disk is full")
	// ErrFailed is wrapped by the errors of Publish and Next after the disk has
	// failed in a way that leaves unknown what it holds. Only a new process that opens it
	// again ends that. A face answers it with 503.
	ErrFailed = errors.New("diskbroker: the disk has failed")
)

// HTTP's words for both, for the faces.
const (
	statusUnavailable = 503
	statusStorageFull = 507
)

// fault is an error of the disk as publishers get it: what happened, and what a
// face answers.
type fault struct {
	kind    error
	refusal *stentor.Refusal
	cause   error
}

func (f *fault) Error() string {
	return fmt.Sprintf("%v: %s: %v", f.kind, f.refusal.Detail, f.cause)
}

func (f *fault) Unwrap() []error { return []error{f.kind, f.refusal, f.cause} }

// faultOf tells a full disk from one that has failed.
func faultOf(dir string, err error) *fault {
	if isFull(err) {
		return &fault{ErrFull, &stentor.Refusal{
			Status: statusStorageFull, Detail: "the history's disk is full; make room, or let the history be smaller",
		}, err}
	}
	return &fault{ErrFailed, &stentor.Refusal{
		Status: statusUnavailable, Detail: "the history can't be written any more; see to the disk and restart the server",
	}, fmt.Errorf("%s: %w", dir, err)}
}

// isFull looks for the causes that pass. The store has some of them as text only.
func isFull(err error) bool {
	for _, e := range [...]error{syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, e) || strings.Contains(err.Error(), e.Error()) {
			return true
		}
	}
	return false
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s; restore a backup, or save what can be read with `stentor history export --damaged`, "+
		"move the directory away and import that into a new one", ErrDamaged, fmt.Sprintf(format, args...))
}
