package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Check returns what is wrong with a repository, a line each; an error when it can't
// be read.
func Check(repo fs.FS) ([]string, error) {
	t, err := read(repo)
	if err != nil {
		return nil, err
	}
	var wrong []string
	report := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	t.checkFloors(report)
	t.checkHub(report)
	t.checkModules(report)
	t.checkHabits(report)
	t.checkDocs(report)
	t.checkCoverage(report)
	slices.Sort(wrong)
	return slices.Compact(wrong), nil
}

// report takes one finding.
type report func(format string, args ...any)

func (t *tree) checkFloors(report report) {
	floors := Floors()
	for _, dir := range t.dirs() {
		if _, ok := find(floors, dir); !ok {
			report("%s: no floor; give it a line in internal/archtest/floors.go", dir)
		}
	}
	for _, f := range t.files {
		for _, imported := range f.imports {
			t.checkImport(f, imported, floors, report)
		}
	}
}

// checkImport says whether one file may import what it imports.
func (t *tree) checkImport(f file, imported string, floors map[string]place, report report) {
	module := t.moduleOf(f.dir)
	dir, own := ours(imported)
	if !own {
		if first, _, _ := strings.Cut(imported, "/"); module == "." && strings.Contains(first, ".") {
			report("%s: imports %s; the root module imports the standard library alone", f.path, imported)
		}
		return
	}
	if f.test && dir == f.dir {
		return // the package under test
	}
	if module != "." && strings.HasPrefix(dir, "internal/") {
		report("%s: imports %s; a nested module leaves the root's internal packages alone", f.path, dir)
	}
	from, ok := find(floors, f.dir)
	to, known := find(floors, dir)
	switch {
	case !ok:
		// said once for the package
	case !known:
		report("%s: imports %s, which has no floor", f.path, dir)
	case to.beside && !f.test:
		report("%s: imports %s; only tests may", f.path, dir)
	case to.beside && !support(dir):
		report("%s: imports %s; nothing may", f.path, dir)
	case !to.beside && to.height >= from.height:
		report("%s: imports %s; imports point down", f.path, dir)
	}
}

// support holds for packages that are there for tests.
func support(dir string) bool { return dir == "ssetest" || dir == "brokertest" }

// checkHub follows what the hub imports, tests apart, within the repository.
func (t *tree) checkHub(report report) {
	imports := map[string][]string{}
	for _, f := range t.files {
		if !f.test {
			imports[f.dir] = append(imports[f.dir], f.imports...)
		}
	}
	seen := map[string]bool{".": true}
	for next := []string{"."}; len(next) > 0; next = next[1:] {
		for _, imported := range imports[next[0]] {
			if imported == "net/http" || strings.HasPrefix(imported, "net/http/") {
				report("%s: imports %s and is part of the hub, which knows nothing of HTTP", next[0], imported)
			}
			if dir, ok := ours(imported); ok && !seen[dir] {
				seen[dir] = true
				next = append(next, dir)
			}
		}
	}
}

// checkModules reads the go.mod files as far as the rules need.
func (t *tree) checkModules(report report) {
	for dir, text := range t.modules {
		if dir == "." && strings.Contains("\n"+text, "\nrequire") {
			report("go.mod: requires something; the root module requires nothing")
		}
		if want := path.Join(Module, dir); !strings.HasPrefix(text, "module "+want+"\n") {
			report("%s/go.mod: is not module %s", dir, want)
		}
		for line := range strings.Lines(text) {
			_, target, ok := strings.Cut(line, "=>")
			if !ok {
				continue
			}
			to := path.Join(dir, strings.TrimSpace(target))
			if _, ok := t.modules[to]; !ok {
				report("%s/go.mod: replaces with %s, which is no module of this repository", dir, strings.TrimSpace(target))
			}
		}
	}
}
