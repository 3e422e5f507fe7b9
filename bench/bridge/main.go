// Bridge stands between the load generator, which speaks HTTP/1.1 in plain text, and a server
// that speaks something else: it passes every stream on as it comes, one connection or one
// stream of HTTP/2 each. What is measured is the server behind it.
package main

import (
	"compress/gzip"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"

	"github.com/stentor-sse/stentor/bench/peer"
)

func main() {
	to := flag.String("to", "", "address of the server")
	speak := flag.String("speak", "", "http1 or http2 over TLS, or gzip in plain text")
	peer.Main(func() (*peer.Server, error) {
		proxy, err := bridge(*to, *speak)
		return &peer.Server{Events: proxy, Publish: func(string, string) error { return errors.New("bridge: the server publishes") }}, err
	})
}

// bridge passes requests on in one of three ways. A server that answers in another is an error.
func bridge(to, speak string) (http.Handler, error) {
	transport := &http.Transport{
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true}, // nobody else is on the loopback port that we were told
		DisableCompression: true, Protocols: new(http.Protocols), ReadBufferSize: bufferSize, WriteBufferSize: 512,
	}
	scheme := "https"
	right := func(*http.Response) bool { return true }
	switch speak {
	case "http1":
		transport.Protocols.SetHTTP1(true)
		right = func(r *http.Response) bool { return r.ProtoMajor == 1 }
	case "http2":
		transport.Protocols.SetHTTP2(true)
		right = func(r *http.Response) bool { return r.ProtoMajor == 2 }
	case "gzip":
		transport.Protocols.SetHTTP1(true)
		scheme = "http"
		right = unzip
	default:
		return nil, fmt.Errorf("bridge: -speak %q: give http1, http2 or gzip", speak)
	}
	server := &url.URL{Scheme: scheme, Host: to}
	return &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		BufferPool:    &buffers{},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(server)
			if speak == "gzip" {
				r.Out.Header.Set("Accept-Encoding", "gzip")
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if !right(r) {
				return fmt.Errorf("bridge: the server does not speak %s: %s %s", speak, r.Proto, r.Header)
			}
			return nil
		},
	}, nil
}

// unzip makes of a compressed answer one that is not. What comes in the meantime is passed on:
// nothing is read before it is asked for.
func unzip(r *http.Response) bool {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return false
	}
	r.Header.Del("Content-Encoding")
	r.Body = &unzipped{body: r.Body}
	return true
}

type unzipped struct {
	body io.ReadCloser
	zip  *gzip.Reader // made with the first Read: its header may be late
}

func (u *unzipped) Read(p []byte) (int, error) {
	if u.zip == nil {
		zip, err := gzip.NewReader(u.body)
		if err != nil {
			return 0, err
		}
		u.zip = zip
	}
	return u.zip.Read(p)
}

func (u *unzipped) Close() error { return u.body.Close() }

const bufferSize = 4 << 10

// buffers is a [httputil.BufferPool] of small ones.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:]
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(p []byte) { b.pool.Put((*[bufferSize]byte)(p)) }
