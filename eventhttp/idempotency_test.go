package eventhttp_test

import (
	"strings"
	"testing"

	"github.com/stentor-sse/stentor/ssetest"
)

// A retry with the same Idempotency-Key gets the first answer, and is delivered once;
// so does each line of a batch.
func TestIdempotencyKey(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p, nil, open())
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		const one = `{"channel":"a","data":"one"}`
		_, body := srv.Do(t, "POST", "/publish", one, jsonType, `Idempotency-Key: "k 1"`)
		if strings.Contains(body, "repeated") {
			t.Errorf("answer %q", body)
		}
		_, again := srv.Do(t, "POST", "/publish", one, jsonType, "Idempotency-Key: k 1")
		if want := strings.Replace(body, "}", `,"repeated":true}`, 1); again != want {
			t.Errorf("answer to a retry %q, want %q", again, want)
		}
		_, half := srv.Do(t, "POST", "/publish", one+"\n", batchType, "Idempotency-Key: batch")
		_, all := srv.Do(t, "POST", "/publish", one+"\n"+`{"channel":"a","data":"two"}`+"\n", batchType, "Idempotency-Key: batch")
		lines := strings.Split(all, "\n")
		if want := strings.Replace(strings.TrimSpace(half), "}", `,"repeated":true}`, 1); lines[0] != want || strings.Contains(lines[1], "repeated") {
			t.Errorf("answer to a longer batch %q, want its first line %q", all, want)
		}
		resp, body := srv.Do(t, "POST", "/publish", `{"channel":"a","data":"another"}`, jsonType, "Idempotency-Key: k 1")
		refused(t, resp, body, 400, "another message")
		resp, body = srv.Do(t, "POST", "/publish", `{"channel":"a","ephemeral":true}`, jsonType, "Idempotency-Key: k 2")
		refused(t, resp, body, 400, "ephemeral")
		for _, bad := range []string{`""`, `a"b`, `a\b`, strings.Repeat("k", 201)} {
			resp, body := srv.Do(t, "POST", "/publish", one, jsonType, "Idempotency-Key: "+bad)
			refused(t, resp, body, 400, "Idempotency-Key")
			resp, body = srv.Do(t, "POST", "/publish", one, batchType, "Idempotency-Key: "+bad)
			refused(t, resp, body, 400, "Idempotency-Key")
		}
		srv.Do(t, "POST", "/publish", `{"channel":"a","data":"end"}`, jsonType)
		for _, data := range []string{"one", "one", "two", "end"} {
			if e := s.Next(t); e.Data != data {
				t.Errorf("delivered %+v, want %s", e, data)
			}
		}
	})
}
