package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, Go version and commit",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			return printVersion(p.stdout)
		},
	}
}

// printVersion prints what the build knows of itself, one "name value" a line.
func printVersion(w io.Writer) error {
	version, commit, modified := "unknown", "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				commit = s.Value
			case "vcs.modified":
				if s.Value == "true" {
					modified = " (modified)"
				}
			}
		}
	}
	_, err := fmt.Fprintf(w, "stentor %s\ngo %s %s/%s\ncommit %s%s\n",
		version, runtime.Version(), runtime.GOOS, runtime.GOARCH, commit, modified)
	return err
}
