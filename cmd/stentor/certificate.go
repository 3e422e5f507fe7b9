package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// certificate is what the server proves itself with. It is read again when that is
// asked for, and connections that are open keep the one they began with.
type certificate struct {
	cert, key string // files, PEM
	current   atomic.Pointer[tls.Certificate]
}

// newCertificate reads the files; without any there is no certificate.
func newCertificate(cert, key string) (*certificate, error) {
	switch {
	case cert == "" && key == "":
		return nil, nil
	case key == "":
		return nil, misuse("serve: --tls-cert needs the file of its private key; name it with --tls-key")
	case cert == "":
		return nil, misuse("serve: --tls-key needs the file of its certificate; name it with --tls-cert")
	}
	c := &certificate{cert: cert, key: key}
	return c, c.read()
}

// read leaves the certificate as it was if there is an error.
func (c *certificate) read() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("serve: --tls-cert %s, --tls-key %s: %w; give a certificate with its chain and its key, in PEM", c.cert, c.key, err)
	}
	c.current.Store(&pair)
	return nil
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil }}
}

// renew reads the files again with each SIGHUP, until ctx ends.
func (c *certificate) renew(ctx context.Context, log logger) {
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
			if err := c.read(); err != nil {
				log.Error("the certificate stays as it was", "err", err)
				continue
			}
			log.Info("certificate read again", "cert", c.cert)
		}
	}
}
