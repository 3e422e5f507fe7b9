package eventhttp_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/ssetest"
)

// notes are what hooks saw, in order. They are safe for any goroutine.
type notes struct {
	mu   sync.Mutex
	list []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, fmt.Sprintf(format, args...))
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.list)
}

// is compares them and forgets them.
func (n *notes) is(t testing.TB, what string, want ...string) {
	t.Helper()
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.list, want) {
		t.Errorf("%s: %q, want %q", what, n.list, want)
	}
	n.list = nil
}

// member opens a stream on a face and gives its subscription too.
func member(t testing.TB, hub *stentor.Hub, srv *ssetest.Server, path string, header ...string) (*ssetest.Recorder, *stentor.Subscription) {
	t.Helper()
	s := srv.Open(t, path, header...)
	sub := hub.Subscription(opened(t, s))
	if sub == nil {
		t.Fatalf("%s: the subscription is not in the hub", path)
	}
	return s, sub
}

// byUser is who the user parameter says, on the channels of the request.
func byUser() *eventhttp.Options { return &eventhttp.Options{Subscribe: eventhttp.QuerySubscribe} }

// data is what a stream has had so far beside the face's own events.
func data(r *ssetest.Recorder) (all []string) {
	synctest.Wait()
	for _, e := range r.Events() {
		if !strings.HasPrefix(e.Type, "stentor.") {
			all = append(all, e.Data)
		}
	}
	return all
}

// abort ends a request whose handler panics without a word in the log, which would
// fail the test.
func abort(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
