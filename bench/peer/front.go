package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"
)

// streams is how many of them a connection of HTTP/2 may have.
const streams = 100

// front is what takes connections for a server.
type front struct {
	*Server
	config *tls.Config // nil: no TLS
	http   *http.Server
}

// newFront is the front without TLS, or with http1 or http2 inside.
func newFront(s *Server, inside string) (*front, error) {
	mux := http.NewServeMux()
	if s.Events != nil {
		mux.Handle("GET /events", s.Events)
	}
	f := &front{Server: s, http: &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}}
	switch {
	case inside == "":
		return f, nil
	case inside != "http1" && inside != "http2":
		return nil, fmt.Errorf("peer: -tls %q: give http1 or http2", inside)
	case s.Events == nil:
		return nil, errors.New("peer: -tls: only a server of net/http speaks it here")
	}
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(inside == "http1")
	protocols.SetHTTP2(inside == "http2")
	f.http.Protocols, f.http.HTTP2 = protocols, &http.HTTP2Config{MaxConcurrentStreams: streams}
	next := map[string]string{"http1": "http/1.1", "http2": "h2"}
	f.config = &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{next[inside]}}
	return f, nil
}

func (f *front) serve(l net.Listener) error {
	switch {
	case f.Serve != nil:
		return f.Serve(l)
	case f.config == nil:
	case f.Secure != nil:
		l = f.Secure(l, f.config)
	default:
		l = tls.NewListener(l, f.config)
	}
	return f.http.Serve(l)
}

// selfSigned is a certificate for as long as a comparison lasts.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
