package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const envPrefix = "STENTOR_"

// setting is what the environment or the file says of one flag.
type setting struct {
	where  string // for errors
	values []string
}

// settle completes the flags of cmd that the command line left alone, from the
// environment and then from the file. Names that belong to other commands are
// skipped, so that one file and one environment serve all of them.
func (p *program) settle(cmd *cobra.Command) error {
	known := flagNames(cmd.Root())
	flags := cmd.Flags()
	env, err := fromEnvironment(p.env, known)
	errs := []error{err}
	path := flags.Lookup("config")
	if s, ok := env["config"]; ok && !path.Changed {
		errs = append(errs, s.apply(flags, "config"))
	}
	var file map[string]setting
	if path.Value.String() != "" {
		file, err = fromFile(path.Value.String(), known)
		errs = append(errs, err)
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			return
		}
		s, ok := env[f.Name]
		if !ok {
			s, ok = file[f.Name]
		}
		if ok {
			errs = append(errs, s.apply(flags, f.Name))
		}
	})
	return errors.Join(errs...)
}

// apply sets the flag.
func (s setting) apply(flags *pflag.FlagSet, name string) error {
	f := flags.Lookup(name)
	if _, many := f.Value.(*list); !many && len(s.values) != 1 {
		return fmt.Errorf("%s: give one value, not a list", s.where)
	}
	for _, v := range s.values {
		if err := f.Value.Set(v); err != nil {
			return fmt.Errorf("%s: %.64q: %w", s.where, v, reason(f, err))
		}
	}
	f.Changed = true
	return nil
}

// reason replaces what the flag library says of its own types, which is Go.
func reason(f *pflag.Flag, err error) error {
	if f.Value.Type() == "bool" {
		return errors.New("give true or false")
	}
	return err
}

// flagNames are the flags of all commands below one.
func flagNames(root *cobra.Command) map[string]struct{} {
	names := map[string]struct{}{}
	for _, cmd := range root.Commands() {
		maps.Copy(names, flagNames(cmd))
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names[f.Name] = struct{}{} })
	}
	delete(names, "help")
	return names
}

// fromEnvironment finds the settings in env. An empty variable is as good as none.
func fromEnvironment(env []string, known map[string]struct{}) (map[string]setting, error) {
	settings := map[string]setting{}
	var errs []error
	for _, entry := range env {
		variable, v, _ := strings.Cut(entry, "=")
		rest, ours := strings.CutPrefix(variable, envPrefix)
		if !ours || isServiceLink(variable, v) {
			continue
		}
		name := strings.ReplaceAll(strings.ToLower(rest), "_", "-")
		if _, ok := known[name]; !ok || variable != variableOf(name) {
			errs = append(errs, fmt.Errorf("environment: unknown %.64s; known are %s", variable, variables(known)))
			continue
		}
		if v != "" {
			settings[name] = setting{variable, []string{v}}
		}
	}
	return settings, errors.Join(errs...)
}

// variableOf is the environment variable of a flag.
func variableOf(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func variables(known map[string]struct{}) string {
	names := slices.Sorted(maps.Keys(known))
	for i, n := range names {
		names[i] = variableOf(n)
	}
	return strings.Join(names, ", ")
}

// isServiceLink holds for what Kubernetes (and Docker before it) puts into every
// container of a cluster that has a service called stentor or stentor-…: it is
// nobody's setting.
func isServiceLink(variable, v string) bool {
	if strings.HasSuffix(variable, "_PORT") && !strings.Contains(v, "://") && !regexp.MustCompile(`_[0-9]+_(TCP|UDP|SCTP)_PORT$|_SERVICE_PORT$`).MatchString(variable) {
		return false // STENTOR_PORT=8080 is somebody who means --listen
	}
	return regexp.MustCompile(`^STENTOR_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`).
		MatchString(variable)
}
