package sse

import (
	"crypto/tls"
	"testing"
)

// A version of crypto/tls that has other fields is noticed here.
func TestForget(t *testing.T) {
	if !forget(&tls.Conn{}) {
		t.Error("tls.Conn has other fields: a stream over TLS takes twice the memory")
	}
}
