package brokertest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// witness is a t that remembers failures and fails nobody.
type witness struct {
	testing.TB // for what is not overridden; never asked to fail
	ctx        context.Context

	mu       sync.Mutex // guards all below
	failures []string
	cleanup  []func()
}

// observe runs a case and gives how it failed, if it did.
func observe(t testing.TB, run func(testing.TB)) []string {
	ctx, cancel := context.WithCancel(context.Background())
	w := &witness{TB: t, ctx: ctx}
	w.apart(func() { run(w) })
	cancel()
	for _, f := range slices.Backward(w.cleanup) {
		w.apart(f)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failures
}

// apart runs f on a goroutine that Fatal may end, and waits for it.
func (w *witness) apart(f func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				w.Errorf("panic: %v", p)
			}
		}()
		f()
	})
	wg.Wait()
}

func (w *witness) Errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, fmt.Sprintf(format, args...))
}

func (w *witness) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	runtime.Goexit()
}

func (w *witness) Cleanup(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cleanup = append(w.cleanup, f)
}

func (w *witness) Error(args ...any)        { w.Errorf("%s", fmt.Sprint(args...)) }
func (w *witness) Fatal(args ...any)        { w.Fatalf("%s", fmt.Sprint(args...)) }
func (w *witness) Context() context.Context { return w.ctx }
func (w *witness) Helper()                  {}
