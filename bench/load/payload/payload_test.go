package payload_test

import (
	"math"
	"testing"

	"github.com/stentor-sse/stentor/bench/load/payload"
)

func TestWhatIsAppendedIsParsed(t *testing.T) {
	for _, size := range []int{0, 1, 22, 100, 4096} {
		for _, seq := range []int64{0, 1, 99, math.MaxInt64} {
			b := payload.Append([]byte("x"), seq, 1_700_000_000_123_456_789, size)[1:]
			gotSeq, at, ok := payload.Parse(b)
			if !ok || gotSeq != seq || at != 1_700_000_000_123_456_789 {
				t.Errorf("%q: %d %d %v, want %d", b, gotSeq, at, ok, seq)
			}
			if len(b) < size || size == 4096 && len(b) != size {
				t.Errorf("%d bytes, want %d", len(b), size)
			}
		}
	}
}

func TestOtherTextIsNotParsed(t *testing.T) {
	for _, data := range []string{"", " ", "1", "1 ", "1 2", "x 2 ", "1 x ", `{"id":"1"}`, "99999999999999999999 1 ", "9999999999999999999 1 "} {
		if seq, at, ok := payload.Parse([]byte(data)); ok {
			t.Errorf("%q: %d %d", data, seq, at)
		}
	}
}
