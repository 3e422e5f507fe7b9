package e2e_test

import (
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// patient is when a test stops waiting.
func patient() <-chan time.Time { return time.After(patience) }

// stormPublish gives the id of what was acknowledged.
func stormPublish(addr, channel, data string) (id string, ok bool) {
	resp, err := http.PostForm("http://"+addr+"/publish", url.Values{"channel": {channel}, "data": {data}})
	if err != nil {
		return "", false
	}
	defer resp.Body.Close()
	var receipt struct{ ID string }
	if json.NewDecoder(resp.Body).Decode(&receipt) != nil || resp.StatusCode != http.StatusOK {
		return "", false
	}
	return receipt.ID, true
}

// stormEvents are those of one response, until it ends.
func stormEvents(addr, cursor string) iter.Seq[sse.Event] {
	return func(yield func(sse.Event) bool) {
		query := url.Values{"channel": {"c0", "c1", "c2", lastChannel}, "lastEventId": {cursor}}
		resp, err := http.Get("http://" + addr + "/events?" + query.Encode())
		if err != nil {
			return
		}
		defer resp.Body.Close()
		for e, err := range sse.NewDecoder(resp.Body, nil).Events() {
			if err != nil || !yield(e) {
				return
			}
		}
	}
}
