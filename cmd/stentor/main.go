package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// A reader of our output that goes away is an error of the next write, for
	// the command to judge, and no reason to die of.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
