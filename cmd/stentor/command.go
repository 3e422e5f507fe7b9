package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes, for scripts.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// program is one run of the command: all it may touch, so that tests can run it
// in their own process.
type program struct {
	env    []string // "NAME=value", as from os.Environ
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// usageError is an error about how the command was called. It ends with exitUsage.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func misuse(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// run is the whole program. The end of ctx is an interrupt.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	root := p.rootCommand()
	root.SetArgs(append([]string{}, args...)) // never nil: cobra would take os.Args
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	p.complain(err)
	if _, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(stderr, "Try '%s --help'.\n", cmd.CommandPath())
		return exitUsage
	}
	return exitFailure
}

// complain prints an error, which may be several, one a line.
func (p *program) complain(err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		p.say("%s", line)
	}
}

// say prints a line about the run on standard error.
func (p *program) say(format string, args ...any) {
	fmt.Fprintf(p.stderr, "stentor: %s\n", visible(fmt.Sprintf(format, args...)))
}

const rootHelp = `Stentor pushes events to browsers, apps and other programs over Server-Sent
Events: a hub with channels, history and presence, and the commands to use it.

Every flag is also an environment variable and a key of the YAML file given
with --config: --history-size is STENTOR_HISTORY_SIZE and "history-size: …". The
command line beats the environment, which beats the file. An unknown name or a
bad value is an error.

Exit codes: 0 done, 1 failed, 2 called wrongly.`

const rootExample = `  stentor demo                           a chat at http://127.0.0.1:8080/
  stentor serve                          the hub alone
  stentor subscribe home                 print what arrives on the channel home
  stentor publish home 'hello, world'    send to it
  stentor bench                          how much this machine can deliver`

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:               "stentor",
		Short:             "Push events over Server-Sent Events",
		Long:              rootHelp,
		Example:           rootExample,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              knownCommand,

		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(p.stderr)
			if err := cmd.Help(); err != nil {
				return err
			}
			return misuse("name a command")
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	history := p.historyCommand()
	commands := []*cobra.Command{p.serveCommand(), p.demoCommand(), p.publishCommand(), p.subscribeCommand(), p.benchCommand()}
	for _, cmd := range append(commands, history.Commands()...) {
		cmd.Flags().String("config", "", "read settings from this YAML `file`")
		cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
			if err := p.settle(cmd); err != nil {
				return &usageError{err}
			}
			return nil
		}
	}
	root.AddCommand(append(commands, history, p.versionCommand())...)
	return root
}

// knownCommand refuses arguments of stentor itself: they are commands that there
// are not.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return misuse("unknown command %.64q; did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return misuse("unknown command %.64q", args[0])
}

// noArguments refuses any.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse("unexpected argument %.64q; settings are flags", args[0])
	}
	return nil
}
