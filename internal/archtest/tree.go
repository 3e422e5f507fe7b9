package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// tree is what the rules look at.
type tree struct {
	files   []file
	modules map[string]string // go.mod by directory
	docs    map[string]string // Markdown by path
	paths   map[string]bool   // every file and directory that was walked
}

// file is one Go file.
type file struct {
	path    string
	dir     string
	test    bool
	lines   int
	imports []string
	syntax  *ast.File
}

// read walks a repository. What a build doesn't see (testdata, hidden
// directories, packages of npm) is left out.
func read(repo fs.FS) (*tree, error) {
	t := &tree{modules: map[string]string{}, docs: map[string]string{}, paths: map[string]bool{}}
	err := fs.WalkDir(repo, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipped(d.Name()) {
				return fs.SkipDir
			}
			t.paths[name] = true
			return nil
		}
		t.paths[name] = true
		return t.add(repo, name)
	})
	if err != nil {
		return nil, fmt.Errorf("archtest: %w", err)
	}
	return t, nil
}

func skipped(dir string) bool {
	return dir == "testdata" || dir == "node_modules" || dir == "vendor" ||
		dir != "." && (dir[0] == '.' || dir[0] == '_')
}

func (t *tree) add(repo fs.FS, name string) error {
	ext := path.Ext(name)
	if ext != ".go" && ext != ".md" && path.Base(name) != "go.mod" {
		return nil
	}
	text, err := fs.ReadFile(repo, name)
	if err != nil {
		return err
	}
	switch ext {
	case ".mod":
		t.modules[path.Dir(name)] = string(text)
		return nil
	case ".md":
		t.docs[name] = string(text)
		return nil
	}
	syntax, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	f := file{
		path: name, dir: path.Dir(name), syntax: syntax,
		test:  strings.HasSuffix(name, "_test.go"),
		lines: strings.Count(string(text), "\n"),
	}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		f.imports = append(f.imports, imported)
	}
	t.files = append(t.files, f)
	return nil
}

// moduleOf is the directory of the module that dir belongs to.
func (t *tree) moduleOf(dir string) string {
	for ; dir != "."; dir = path.Dir(dir) {
		if _, ok := t.modules[dir]; ok {
			break
		}
	}
	return dir
}

// dirs are the directories with Go files.
func (t *tree) dirs() []string {
	seen := map[string]struct{}{}
	for _, f := range t.files {
		seen[f.dir] = struct{}{}
	}
	return slices.Sorted(maps.Keys(seen))
}

// ours is the directory of an import of this repository.
func ours(imported string) (dir string, ok bool) {
	if imported == Module {
		return ".", true
	}
	return strings.CutPrefix(imported, Module+"/")
}
