//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// choose is the plans to run, with the rows to run.
func choose(o options) ([]plan, error) {
	all := plans()
	wanted, err := named("plans", o.plans, len(all), func(i int) string { return all[i].name })
	if err != nil {
		return nil, err
	}
	list := servers()
	who, err := named("servers", o.servers, len(list), func(i int) string { return list[i].name })
	if err != nil {
		return nil, err
	}
	var chosen []plan
	for _, p := range all {
		if o.quick {
			p = p.quick()
		}
		p.rows = slices.DeleteFunc(p.rows, func(r row) bool {
			return !slices.Contains(who, r.server) || r.server == "nchan" && !installed("nginx")
		})
		if !slices.ContainsFunc(p.rows, row.there) || !slices.Contains(wanted, p.name) {
			continue
		}
		if p.pinned && runtime.NumCPU() < 2 {
			return nil, fmt.Errorf("plan %s: needs two processors", p.name)
		}
		chosen = append(chosen, p)
	}
	if len(chosen) == 0 || o.rounds < 1 {
		return nil, fmt.Errorf("nothing to run: plans are %s", strings.Join(wanted, ", "))
	}
	return chosen, nil
}

// named is the names that a flag has between commas, or all when it has none.
func named(flag, value string, n int, name func(int) string) ([]string, error) {
	all := make([]string, n)
	for i := range all {
		all[i] = name(i)
	}
	if value == "" {
		return all, nil
	}
	given := strings.Split(value, ",")
	for _, g := range given {
		if !slices.Contains(all, g) {
			return nil, fmt.Errorf("-%s: there is no %q; give some of %s", flag, g, strings.Join(all, ","))
		}
	}
	return given, nil
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// build compiles the servers that the plans name.
func build(ctx context.Context, bin string, list []plan) error {
	args := []string{"build", "-o", bin + string(filepath.Separator)}
	for _, p := range list {
		if folder := "./bridge"; p.speak != "" && !slices.Contains(args, folder) {
			args = append(args, folder)
		}
		for _, r := range p.rows {
			if folder := "./" + find(r.server).folder; !slices.Contains(args, folder) {
				args = append(args, folder)
			}
		}
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// find is a server by its name, which a plan has.
func find(name string) server {
	list := servers()
	return list[slices.IndexFunc(list, func(s server) bool { return s.name == name })]
}
