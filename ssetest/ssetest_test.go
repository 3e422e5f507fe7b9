package ssetest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// lines writes a stream by hand: these tests must not need a working sse.Stream.
func lines(w http.ResponseWriter, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}

func TestRecorderKeepsTheStream(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			lines(w, ": hi\n\n")
			time.Sleep(time.Minute)
			lines(w, "retry: 5\nid: 1\ndata: a\n\nid: 2\n\n")
			<-r.Context().Done()
		}))
		got := srv.Open(t, "/")
		if e := got.Next(t); e != (sse.Event{ID: "1", Data: "a", Retry: 5 * time.Millisecond}) {
			t.Errorf("event %+v", e)
		}
		synctest.Wait()
		if raw := got.Raw(); raw != ": hi\n\nretry: 5\nid: 1\ndata: a\n\nid: 2\n\n" {
			t.Errorf("raw %q", raw)
		}
		if c := got.Comments(); len(c) != 1 || c[0] != "hi" {
			t.Errorf("comments %q", c)
		}
		if id, retry := got.LastEventID(), got.Retry(); id != "2" || retry != 5*time.Millisecond {
			t.Errorf("last event id %q, retry %v", id, retry)
		}
		if n := len(got.Events()); n != 1 || got.Ended() {
			t.Errorf("%d events, ended %v", n, got.Ended())
		}
	})
}

func TestRequestsSpeakTheProtocol(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.URL.Path == "/away" {
				http.Redirect(w, r, "/", http.StatusFound)
				return
			}
			fmt.Fprintf(w, "%d %s %s %s %q %q %q", r.ProtoMajor, r.Method, r.Host, body,
				r.Header["Accept"], r.Header["X"], r.Header["Connection"])
		}))
		major := map[ssetest.Protocol]int{ssetest.HTTP1: 1, ssetest.HTTP2: 2}[p]
		_, got := srv.Do(t, "POST", "/", "body", "X: 1", "X:2", "Host: other")
		if want := fmt.Sprintf(`%d POST other body [] ["1" "2"] []`, major); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		rec := srv.Open(t, "/")
		if err := rec.Wait(t); err != nil {
			t.Error(err)
		}
		if want := fmt.Sprintf(`%d GET stentor.test  ["text/event-stream"] [] []`, major); rec.Raw() != want {
			t.Errorf("got %s, want %s", rec.Raw(), want)
		}
		if res, _ := srv.Do(t, "GET", "/away", ""); res.StatusCode != http.StatusFound {
			t.Errorf("status %d", res.StatusCode)
		}
	})
}

func TestRecorderCloseIsSeen(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var gone atomic.Bool
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			lines(w, ":\n\n")
			<-r.Context().Done()
			gone.Store(true)
		}))
		got := srv.Open(t, "/")
		got.Close()
		synctest.Wait()
		if !gone.Load() || !got.Ended() || got.Err() == nil {
			t.Errorf("handler told: %v, ended: %v, with %v", gone.Load(), got.Ended(), got.Err())
		}
	})
}

func TestStalledReaderHoldsTheWriter(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		wrote, took := make(chan error, 1), make(chan time.Duration, 1)
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			lines(w, ":\n\n")
			start := time.Now()
			wrote <- lines(w, strings.Repeat("x", 256<<10))
			took <- time.Since(start)
		}))
		got := srv.OpenStalled(t, "/")
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(wrote) != 0 || got.Raw() != "" {
			t.Errorf("the writer was not held; read %q", got.Raw())
		}
		got.Resume()
		if err := got.Wait(t); err != nil {
			t.Error(err)
		}
		if err, d := <-wrote, <-took; err != nil || d != time.Minute || len(got.Raw()) != 3+256<<10 {
			t.Errorf("write: %v after %v, %d bytes", err, d, len(got.Raw()))
		}
	})
}

func TestServerLeavesNothing(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var ended atomic.Int32
		t.Cleanup(func() { // the last of all; that the bubble ends at all says the rest
			if n := ended.Load(); n != 3 {
				t.Errorf("%d handlers have returned, want 3", n)
			}
		})
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			lines(w, ":\n\n")
			<-r.Context().Done()
			ended.Add(1)
		}))
		srv.Open(t, "/")
		srv.Open(t, "/")
		srv.OpenStalled(t, "/")
	})
}

func TestConfigBeforeTheFirstRequest(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			lines(w, "late")
		}))
		srv.Config.WriteTimeout = time.Second
		res, err := srv.Client.Get(srv.URL)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil {
			t.Error("the write timeout was not in force")
		}
	})
}

func TestDialedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := ssetest.NewServer(t, ssetest.HTTP1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			lines(w, "hello")
		}))
		c := srv.Dial(t)
		c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		c.SetReadDeadline(time.Time{})
		io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
		got, err := io.ReadAll(c)
		if err != nil || !strings.HasSuffix(string(got), "\r\n\r\nhello") {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestWorksOutsideABubble(t *testing.T) {
	for _, p := range []ssetest.Protocol{ssetest.HTTP1, ssetest.HTTP2} {
		t.Run(string(p), func(t *testing.T) {
			srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				lines(w, "data: x\n\n")
				<-r.Context().Done()
			}))
			if e := srv.Open(t, "/").Next(t); e.Data != "x" {
				t.Errorf("event %+v", e)
			}
		})
	}
}
