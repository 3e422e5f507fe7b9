package e2e_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every byte of a stream, as a socket sees them.
func TestExactBytes(t *testing.T) {
	t.Parallel()
	server := start(t, "serve")
	for _, proto := range []string{"HTTP/1.0", "HTTP/1.1"} {
		t.Run(proto, func(t *testing.T) {
			channel := "bytes-" + proto[len(proto)-1:]
			s := dial(t, server.Addr, proto, "/events?channel="+channel)
			checkHeader(t, s, proto)
			open := s.Frame(t)
			if !regexp.MustCompile(`^retry: [23]\d{3}\nid: \d{1,16}\nevent: stentor\.open\ndata: \{"subscription":"[A-Z2-7]{26,}"\}\n\n$`).MatchString(open) {
				t.Errorf("the first frame: %q", open)
			}
			for _, test := range exactBytes() {
				got, want := "", ""
				body := strings.Replace(test.body, "{", `{"channel":"`+channel+`",`, 1)
				receipt := publish(t, server.URL, "application/json", body)
				want = strings.ReplaceAll(test.want, "ID", idOf(t, receipt))
				if got = s.Frame(t); got != want {
					t.Errorf("%s:\ngot  %q\nwant %q", test.body, got, want)
				}
			}
			if t.Failed() {
				return
			}
			again := dial(t, server.Addr, proto, "/events?lastEventId=0&channel="+channel)
			again.Frame(t)
			if frame := again.Frame(t); !strings.HasSuffix(frame, "data: hello\n\n") {
				t.Errorf("a replay begins with %q", frame)
			}
		})
	}
}

// exactBytes has what is published (the channel is added) and what comes, with ID
// for the receipt's id.
func exactBytes() []struct{ body, want string } {
	return []struct{ body, want string }{
		{`{"data":"hello"}`, "id: ID\ndata: hello\n\n"},
		{`{"type":"greet","data":{"text":"hi", "n": [1, 2]}}`, "id: ID\nevent: greet\ndata: {\"text\":\"hi\",\"n\":[1,2]}\n\n"},
		{`{"data":"one\ntwo\r\nthree\rfour"}`, "id: ID\ndata: one\ndata: two\ndata: three\ndata: four\n\n"},
		{`{"data":"\n"}`, "id: ID\ndata: \ndata: \n\n"},
		{`{"data":" leading and trailing "}`, "id: ID\ndata:  leading and trailing \n\n"},
		{`{"data":""}`, "id: ID\ndata: \n\n"},
		{`{"data":null}`, "id: ID\ndata: null\n\n"},
		{`{"data":"id: 7\nevent: stentor.gap\n\ndata: forged"}`,
			"id: ID\ndata: id: 7\ndata: event: stentor.gap\ndata: \ndata: data: forged\n\n"},
		{`{"data":": a comment?"}`, "id: ID\ndata: : a comment?\n\n"},
		{`{"data":"\u0000 zoë 🙂 \u2028 \ufeff"}`, "id: ID\ndata: \x00 zoë 🙂 \u2028 \ufeff\n\n"},
		{`{"type":"note","data":"kept by nobody","ephemeral":true}`, "event: note\ndata: kept by nobody\n\n"},
	}
}

func checkHeader(t *testing.T, s *socket, proto string) {
	t.Helper()
	if s.Status != "HTTP/1.1 200 OK" && s.Status != "HTTP/1.0 200 OK" {
		t.Errorf("status %q", s.Status)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform",
		"X-Accel-Buffering": "no", "Connection": "close", "Content-Length": "",
	} {
		if got := s.Header.Get(name); got != want {
			t.Errorf("%s: %s: %q, want %q", proto, name, got, want)
		}
	}
}

func idOf(t *testing.T, receipt string) string {
	t.Helper()
	var r struct{ ID string }
	if err := json.Unmarshal([]byte(receipt), &r); err != nil {
		t.Fatalf("receipt %q: %v", receipt, err)
	}
	if r.ID == "" {
		return "0" // an ephemeral message has none
	}
	if n, err := strconv.ParseInt(r.ID, 10, 64); err != nil || n < 1 || n >= 1<<53 {
		t.Errorf("id %q is no position", r.ID)
	}
	return r.ID
}

// The same bytes come over HTTP/2, where Connection is no header.
func TestExactBytesHTTP2(t *testing.T) {
	t.Parallel()
	server := start(t, "serve")
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols, DisableCompression: true}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/events?channel=h2&lastEventId=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, test := range exactBytes() {
		if strings.Contains(test.body, "ephemeral") {
			continue
		}
		receipt := publish(t, server.URL, "application/json", strings.Replace(test.body, "{", `{"channel":"h2",`, 1))
		want += strings.ReplaceAll(test.want, "ID", idOf(t, receipt))
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.ProtoMajor != 2 || answer.StatusCode != 200 || answer.Header.Get("Connection") != "" {
		t.Errorf("%s %s, header %v", answer.Proto, answer.Status, answer.Header)
	}
	open := regexp.MustCompile(`^retry: \d+\nid: \d+\nevent: stentor\.open\ndata: \{[^\n]*\}\n\n`)
	got := ""
	for b := make([]byte, 1024); len(open.ReplaceAllString(got, "")) < len(want); {
		n, err := answer.Body.Read(b)
		got += string(b[:n])
		if err != nil && err != io.EOF {
			t.Fatalf("after %q: %v", got, err)
		}
	}
	if got = open.ReplaceAllString(got, ""); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A cursor is never refused: a foreign one is a gap, and then the stream is live.
func TestForeignCursor(t *testing.T) {
	t.Parallel()
	server := start(t, "serve")
	publish(t, server.URL, "application/x-www-form-urlencoded", "channel=home&data=before")
	for _, cursor := range []string{"abc", "-1", "99999999999999999999", "1e3", "9007199254740991"} {
		s := dial(t, server.Addr, "HTTP/1.0", "/events?channel=home", "Last-Event-ID: "+cursor)
		s.Frame(t)
		if gap := s.Frame(t); !strings.Contains(gap, "\nevent: stentor.gap\ndata: {\"reason\":\"") {
			t.Errorf("%s: got %q, want a gap", cursor, gap)
		}
		publish(t, server.URL, "application/x-www-form-urlencoded", "channel=home&data=after+"+cursor)
		if live := s.Frame(t); !strings.HasSuffix(live, "\ndata: after "+cursor+"\n\n") {
			t.Errorf("%s: got %q, want what is new", cursor, live)
		}
		s.conn.Close()
	}
}
