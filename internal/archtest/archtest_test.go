package archtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stentor-sse/stentor/internal/archtest"
)

const repository = "../.."

func TestRepository(t *testing.T) {
	wrong, err := archtest.Check(os.DirFS(repository))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

// What the hub reaches inside the standard library, the go command knows.
func TestHubReachesNoHTTP(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", archtest.Module)
	cmd.Dir = repository
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, archtest.Module) {
		t.Fatalf("go list names %d packages and not the hub", len(deps))
	}
	t.Logf("the hub reaches %d packages: %s", len(deps), strings.Join(deps, " "))
	for _, dep := range deps {
		if dep == "net/http" || dep == archtest.Module+"/sse" {
			t.Errorf("the hub reaches %s", dep)
		}
	}
}

func TestREADME(t *testing.T) {
	readme := text(t, "README.md")
	if n := strings.Count(readme, "\n"); n > 150 {
		t.Errorf("README.md: %d lines; 150 are the most", n)
	}
	_, rest, ok := strings.Cut(readme, "```go\n")
	if !ok {
		t.Fatal("README.md has no Go example")
	}
	example, _, _ := strings.Cut(rest, "```")
	if n := strings.Count(example, "\n"); n > 12 {
		t.Errorf("the example in README.md has %d lines; ten are promised", n)
	}
	program := text(t, "examples/readme/main.go")
	if !strings.Contains(unindented(program), unindented(example)) {
		t.Errorf("the example in README.md is not in examples/readme/main.go:\n%s", example)
	}
}

func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// unindented is s with one space between words of a line, whatever its place.
func unindented(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

// TestRulesBite shows that a tree is clean, and that each change to it is found.
func TestRulesBite(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string // over those of the clean tree
		want  string            // one of the findings
	}{
		{"package without a floor", map[string]string{"stray/a.go": "package stray"}, "stray: no floor"},
		{"nested package without a floor", map[string]string{"sse/inner/a.go": "package inner"}, "sse/inner: no floor"},
		{"import up", imports("sse/a.go", "eventhttp"), "sse/a.go: imports eventhttp; imports point down"},
		{"import up in a test", imports("sse/a_test.go", "eventhttp"), "imports point down"},
		{"import sideways", imports("eventhttp/a.go", "serverevents"), "eventhttp/a.go: imports serverevents; imports point down"},
		{"sideways to the hub", imports("eventsource/a.go", ""), "eventsource/a.go: imports .; imports point down"},
		{"leaf over its importer", imports("internal/problem/a.go", "internal/origin"), "imports point down"},
		{"leaf imports a face", imports("internal/origin/a.go", "eventhttp"), "imports point down"},
		{"example imported", imports("chat/a.go", "examples/hello"), "imports point down"},
		{"no floor imported", imports("chat/a.go", "nowhere"), "which has no floor"},
		{"outside import", map[string]string{"sse/a.go": "package p\nimport _ \"example.com/x\""}, "standard library alone"},
		{"outside import in a test", map[string]string{"sse/a_test.go": "package p\nimport _ \"example.com/x\""}, "standard library alone"},
		{"outside import behind a tag", map[string]string{"sse/a.go": "//go:build plan9\n\npackage p\nimport _ \"example.com/x\""}, "standard library alone"},
		{"hub imports net/http", map[string]string{"a.go": "package p\nimport _ \"net/http\""}, ".: imports net/http"},
		{"hub reaches net/http", map[string]string{
			"a.go":     "package p\nimport _ \"" + archtest.Module + "/sse\"",
			"sse/a.go": "package p\nimport _ \"net/http/httptest\"",
		}, "sse: imports net/http/httptest and is part of the hub"},
		{"nested module takes internals", imports("cmd/stentor/a.go", "internal/problem"), "leaves the root's internal packages alone"},
		{"test support in a program", imports("cmd/stentor/a.go", "ssetest"), "imports ssetest; only tests may"},
		{"broker suite in a package", imports("eventhttp/a.go", "brokertest"), "only tests may"},
		{"test imports e2e", imports("chat/a_test.go", "e2e"), "imports e2e; nothing may"},
		{"root requires", map[string]string{"go.mod": "module " + archtest.Module + "\nrequire example.com/x v1.0.0\n"}, "requires nothing"},
		{"replace leaves", map[string]string{"cmd/stentor/go.mod": "module " + archtest.Module + "/cmd/stentor\nreplace x => ../../../y\n"}, "no module of this repository"},
		{"module by another name", map[string]string{"cmd/stentor/go.mod": "module example.com/stentor\n"}, "is not module"},
		{"package variable", map[string]string{"sse/a.go": "package p\nvar cache = map[string]int{}"}, "package variable cache"},
		{"init", map[string]string{"sse/a.go": "package p\nfunc init() {}"}, "has an init"},
		{"logging hub", map[string]string{"a.go": "package p\nimport _ \"log/slog\""}, "there are hooks instead"},
		{"long file", map[string]string{"sse/a.go": "package p\n" + strings.Repeat("//\n", 400)}, "401 lines"},
		{"test that isn't there", map[string]string{"sse/a.go": "// Package p does (TestNothing).\npackage p"}, "names TestNothing"},
		{"fact without a row", map[string]string{"docs/coverage.md": "| K-01–K-09, K-11–K-64 | x | y | TestIt |"}, "K-10 has no row"},
		{"fact without a test", map[string]string{"docs/coverage.md": "| K-10 | x | y | |"}, "K-10: name its test"},
		{"row that names no test there is", map[string]string{"docs/coverage.md": "| Send | x | TestNothing |"}, "there is no TestNothing"},
		{"dead link", map[string]string{"docs/a.md": "see [c](c.md)"}, "docs/a.md: links to c.md"},
	}
	if wrong := check(t, nil); len(wrong) > 0 {
		t.Fatalf("the clean tree: %q", wrong)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wrong := check(t, test.files)
			if !slices.ContainsFunc(wrong, func(w string) bool { return strings.Contains(w, test.want) }) {
				t.Errorf("got %q, want one with %q", wrong, test.want)
			}
		})
	}
}

func TestUnreadableFileIsAnError(t *testing.T) {
	repo := tree(map[string]string{"sse/a.go": "no Go"})
	if wrong, err := archtest.Check(repo); err == nil {
		t.Errorf("got %q and no error", wrong)
	}
}

// imports is a file that imports one package of the repository.
func imports(name, dir string) map[string]string {
	return map[string]string{name: "package p\nimport _ \"" + strings.TrimSuffix(archtest.Module+"/"+dir, "/") + "\""}
}

func check(t *testing.T, files map[string]string) []string {
	t.Helper()
	wrong, err := archtest.Check(tree(files))
	if err != nil {
		t.Fatal(err)
	}
	return wrong
}

// tree is a small repository that keeps all rules, with files over it.
func tree(files map[string]string) fstest.MapFS {
	from := func(dirs ...string) string {
		s := "package p\n"
		for _, dir := range dirs {
			s += "import _ \"" + strings.TrimSuffix(archtest.Module+"/"+dir, "/") + "\"\n"
		}
		return s
	}
	clean := map[string]string{
		"go.mod":                      "module " + archtest.Module + "\n\ngo 1.26.0\n",
		"hub.go":                      "package p\nimport _ \"net\"\nvar ErrClosed, _ = 1, 2\n",
		"hub_test.go":                 from("", "brokertest"),
		"sse/sse.go":                  "// Package p is proved (TestIt).\npackage p\nimport _ \"net/http\"\n",
		"sse/sse_test.go":             from("sse", "ssetest") + "func TestIt() {}\n",
		"ssetest/s.go":                from("sse") + "import _ \"log\"\n",
		"brokertest/b.go":             from(""),
		"internal/problem/problem.go": from(""),
		"internal/origin/origin.go":   from("internal/problem"),
		"eventhttp/face.go":           from("", "sse", "internal/origin") + "import _ \"log/slog\"\n",
		"serverevents/face.go":        from("internal/origin"),
		"chat/chat.go":                from("serverevents") + "import \"embed\"\nvar web embed.FS\n",
		"cmd/stentor/go.mod":          "module " + archtest.Module + "/cmd/stentor\nreplace " + archtest.Module + " => ../..\n",
		"cmd/stentor/main.go":         from("chat") + "import _ \"example.com/cobra\"\n",
		"examples/hello/main.go":      from("chat"),
		"e2e/go.mod":                  "module " + archtest.Module + "/e2e\n",
		"e2e/doc.go":                  "package e2e\n",
		"docs/a.md":                   "[design](b.md#why) and [the web](https://example.com/)",
		"docs/b.md":                   "[up](../sse/sse.go)",
		"sse/testdata/x.go":           "no Go",
		"e2e/node_modules/x/x.go":     "no Go",
	}
	repo := fstest.MapFS{}
	for _, m := range []map[string]string{clean, files} {
		for name, text := range m {
			repo[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return repo
}
