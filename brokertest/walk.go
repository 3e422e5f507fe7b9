package brokertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
)

// StepsVar is the environment variable with the number of steps that [Walk] takes.
const StepsVar = "BROKERTEST_STEPS"

// Walk takes random steps on a hub over a broker, and holds what its readers get
// against a plain list of what was published: it publishes, subscribes, drops readers and
// lets them resume, stalls them, lets time pass and messages expire, and restarts hub and
// broker. Each reader must get every message of its channels after its cursor, once, in
// order, or be told of a gap before anything newer; and of none where nothing is missing. One that
// another about the same subject has taken the place of may come or not.
// It takes 1,000 steps, or as many as the environment says ([StepsVar]). It must be called in a
// synctest bubble, because time passes in it.
func Walk(t testing.TB, h Harness) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := &walk{rig: newRig(t, h), random: rand.New(rand.NewPCG(seed, 0))}
	w.open(Limits{Size: 25})
	w.connect()
	w.Cleanup(func() { w.disconnect() })
	w.post() // for the readers to begin at
	for range 5 {
		w.readers = append(w.readers, w.newReader())
	}
	for range w.steps() {
		w.step()
		w.look()
		if w.Failed() {
			return
		}
	}
	for _, r := range w.readers {
		r.resume()
		r.run()
		w.look()
		r.settled()
	}
}

// look waits until all is quiet, and checks what the readers got.
func (w *walk) look() {
	synctest.Wait()
	for _, r := range w.readers {
		r.look()
	}
}

// walk is a hub over a broker, its readers, and all that was published.
type walk struct {
	*rig
	random  *rand.Rand
	hub     *stentor.Hub
	link    stentor.Link // to look at the log with
	readers []*walkReader
	sent    []stentor.Message
}

func (w *walk) steps() int {
	s := os.Getenv(StepsVar)
	if s == "" {
		return 1000
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		w.Fatalf("%s=%s: give a whole number", StepsVar, s)
	}
	return n
}

func (w *walk) step() {
	i := w.random.IntN(len(w.readers))
	r := w.readers[i]
	switch n := w.random.IntN(1000); {
	case n < 600:
		w.post()
	case n < 750:
		r.read(w.random.IntN(20))
	case n < 800:
		r.run()
		w.look()
		r.settled()
	case n < 860:
		r.drop()
	case n < 950:
		r.resume()
	case n < 960: // another one in its place, on other channels
		r.drop()
		w.look()
		w.readers[i] = w.newReader()
	case n < 990:
		time.Sleep(time.Duration(w.random.Int64N(int64(time.Second))).Round(time.Microsecond))
	case n < 993:
		time.Sleep(25 * time.Hour) // all expires
	default:
		w.restart()
	}
}

// post publishes a message. Low channels are busy, high ones quiet.
func (w *walk) post() {
	m := stentor.Message{
		Target: stentor.Target{Channel: channel(min(w.random.IntN(6), w.random.IntN(6)))},
		Data:   fmt.Sprint(len(w.sent), strings.Repeat("x", w.random.IntN(300))),
	}
	if w.random.IntN(4) == 0 {
		m.Subject, m.Remove = fmt.Sprint(w.random.IntN(4)), w.random.IntN(8) == 0
	}
	receipt, err := w.hub.Publish(w.ctx, m)
	if err != nil {
		w.Fatalf("publish: %v", err)
	}
	m.Position = receipt.Position
	if n := len(w.sent); n > 0 && m.Position <= w.sent[n-1].Position {
		w.Errorf("position %d after %d", m.Position, w.sent[n-1].Position)
	}
	w.sent = append(w.sent, m)
}

func (w *walk) connect() {
	hub, err := stentor.New(w.ctx, &stentor.Options{Broker: w.b, QueueLength: 8, Linger: -1})
	if err != nil {
		w.Fatalf("a hub over the broker: %v", err)
	}
	w.hub = hub
	if w.link, err = w.b.Attach(w.ctx, newFeed(w)); err != nil {
		w.Fatalf("attach: %v", err)
	}
}

func (w *walk) disconnect() {
	for _, r := range w.readers {
		r.drop()
	}
	if err := w.link.Close(context.Background()); err != nil {
		w.Errorf("close: %v", err)
	}
	if err := w.hub.Shutdown(context.Background()); err != nil {
		w.Errorf("shutdown: %v", err)
	}
}

// restart ends the hub and, where something outlives it, the broker. Readers come back later.
func (w *walk) restart() {
	w.disconnect()
	if w.h.Reopen != nil {
		w.b = w.h.Reopen(w.TB, w.b)
	}
	w.connect()
}
