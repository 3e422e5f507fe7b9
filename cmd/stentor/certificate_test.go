package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newPair writes a certificate for loopback and its key, over those that are there.
func newPair(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "stentor"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, b := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func trusting(t *testing.T, cert string, http2 bool) *http.Client {
	t.Helper()
	text, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	p := new(http.Protocols)
	p.SetHTTP1(!http2)
	p.SetHTTP2(http2)
	tr := &http.Transport{Protocols: p, TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// Streams over HTTPS live as others do: opened, told, ended with a farewell.
func TestServeTLS(t *testing.T) {
	for _, engine := range []string{auto, attached} {
		for _, http2 := range []bool{false, true} {
			t.Run(engine+map[bool]string{false: " HTTP1", true: " HTTP2"}[http2], func(t *testing.T) {
				cert, key := newPair(t, t.TempDir(), 1)
				p := serve(t, "--tls-cert", cert, "--tls-key", key, "--engine", engine)
				if !strings.Contains(p.said(), "https://"+p.addr+"/") {
					t.Errorf("it says\n%s", p.said())
				}
				client, url := trusting(t, cert, http2), "https://"+p.addr+"/"
				stream := openStream(t, client, url, "home")
				answer, err := client.Post(url+"publish", "application/x-www-form-urlencoded", strings.NewReader("channel=home&data=hello"))
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					t.Errorf("publishing: %s", answer.Status)
				}
				p.signal(os.Interrupt)
				rest, err := io.ReadAll(stream)
				if err != nil || !strings.Contains(string(rest), "data: hello\n\n") || !strings.HasSuffix(string(rest), "data: {\"reason\":\"shutdown\"}\n\n") {
					t.Errorf("the stream went on with %q, %v", rest, err)
				}
				if code := p.wait(); code != exitOK {
					t.Errorf("exit code %d; it said\n%s", code, p.said())
				}
			})
		}
	}
}

// With --compress, streams are compressed for who accepts it.
func TestServeCompressed(t *testing.T) {
	for _, compress := range []string{"true", "false"} {
		p := serve(t, "--compress="+compress)
		resp := get(t, http.DefaultClient, p.url+"events?channel=home") // which accepts it, and reads it
		if resp.Uncompressed != (compress == "true") {
			t.Errorf("--compress=%s: compressed %v", compress, resp.Uncompressed)
		}
		p.signal(os.Interrupt)
		if body, err := io.ReadAll(resp.Body); err != nil || !strings.HasSuffix(string(body), "data: {\"reason\":\"shutdown\"}\n\n") {
			t.Errorf("--compress=%s: %q, %v", compress, body, err)
		}
		p.wait()
	}
}

// After SIGHUP newcomers see the new certificate, and what is open goes on. Files that can't be
// read change nothing.
func TestCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := newPair(t, dir, 1)
	p := serve(t, "--tls-cert", cert, "--tls-key", key)
	client, url := trusting(t, cert, false), "https://"+p.addr+"/"
	stream := openStream(t, client, url, "home")
	newPair(t, dir, 2)
	p.signal(syscall.SIGHUP)
	p.until("certificate read again")
	serial := func() string {
		c, err := tls.Dial("tcp", p.addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	if got := serial(); got != "2" {
		t.Errorf("newcomers see certificate %s", got)
	}
	if err := os.WriteFile(key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.until("the certificate stays as it was")
	if got := serial(); got != "2" {
		t.Errorf("newcomers see certificate %s after a file that is none", got)
	}
	p.signal(os.Interrupt)
	if rest, err := io.ReadAll(stream); err != nil || !strings.Contains(string(rest), "shutdown") {
		t.Errorf("the stream went on with %q, %v", rest, err)
	}
	p.wait()
}

// until waits for a line in the log.
func (p *process) until(text string) {
	p.t.Helper()
	end := time.Now().Add(patience)
	for !strings.Contains(p.said(), text) {
		if time.Now().After(end) {
			p.t.Fatalf("it never said %q:\n%s", text, p.said())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestTLSSettings(t *testing.T) {
	dir := t.TempDir()
	cert, key := newPair(t, dir, 1)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--tls-cert", cert}, exitUsage, "--tls-key"},
		{[]string{"--tls-key", key}, exitUsage, "--tls-cert"},
		{[]string{"--tls-cert", key, "--tls-key", cert}, exitFailure, "give a certificate with its chain and its key, in PEM"},
		{[]string{"--tls-cert", cert, "--tls-key", filepath.Join(dir, "none")}, exitFailure, "no such file"},
	} {
		got := call(t, "", append([]string{"serve", "--listen", "127.0.0.1:0"}, c.args...)...)
		if got.code != c.code || !strings.Contains(got.stderr, c.says) {
			t.Errorf("%v: %d, %q", c.args, got.code, got.stderr)
		}
	}
}
