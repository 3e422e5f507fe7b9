//go:build !linux

package main

import (
	"context"
	"errors"
	"net/url"
	"runtime"
)

// bench has a load generator on Linux alone.
func (*program) bench(context.Context, *benchSettings, *url.URL) error {
	return errors.New("bench: it needs Linux, and this is " + runtime.GOOS + "; run it on Linux with the URL of this server")
}
