package archtest

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxLines is where a file is split.
const maxLines = 400

// checkHabits looks into files that are no tests.
func (t *tree) checkHabits(report report) {
	floors := Floors()
	for _, f := range t.files {
		if f.test {
			continue
		}
		if f.lines > maxLines {
			report("%s: %d lines; split it, %d is the most", f.path, f.lines, maxLines)
		}
		p, _ := find(floors, f.dir)
		for _, imported := range f.imports {
			if (imported == "log" || imported == "log/slog") && !p.beside && p.height <= floor(1).height {
				report("%s: imports %s; up to floor 1 there are hooks instead", f.path, imported)
			}
		}
		for _, decl := range f.syntax.Decls {
			checkDecl(f, decl, report)
		}
	}
}

func checkDecl(f file, decl ast.Decl, report report) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && d.Name.Name == "init" {
			report("%s: has an init; nothing happens on import", f.path)
		}
	case *ast.GenDecl:
		if d.Tok != token.VAR {
			return
		}
		for _, spec := range d.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok || isEmbed(v.Type) {
				continue
			}
			for _, name := range v.Names {
				if name.Name != "_" && !strings.HasPrefix(strings.ToLower(name.Name), "err") {
					report("%s: package variable %s; make it a const or a function", f.path, name.Name)
				}
			}
		}
	}
}

// isEmbed holds for embed.FS, which can be no const.
func isEmbed(t ast.Expr) bool {
	s, ok := t.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "embed" && s.Sel.Name == "FS"
}

// checkDocs looks for what texts name and isn't there.
func (t *tree) checkDocs(report report) {
	tests := t.tests()
	name := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w*`)
	for _, f := range t.files {
		if f.test || f.syntax.Doc == nil {
			continue
		}
		for _, test := range name.FindAllString(prose(f.syntax.Doc.Text()), -1) {
			if !slices.Contains(tests[test], f.dir) {
				report("%s: names %s, which is not in %s", f.path, test, f.dir)
			}
		}
	}
	link := regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	for doc, text := range t.docs {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if to := path.Join(path.Dir(doc), m[1]); !strings.Contains(m[1], ":") && !t.paths[to] {
				report("%s: links to %s, which is not there", doc, m[1])
			}
		}
	}
}

// tests are the functions of test files, and the directories that have one of the name.
func (t *tree) tests() map[string][]string {
	dirs := map[string][]string{}
	for _, f := range t.files {
		for _, decl := range f.syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && f.test {
				dirs[fn.Name.Name] = append(dirs[fn.Name.Name], f.dir)
			}
		}
	}
	return dirs
}

// prose is a doc comment without its code.
func prose(doc string) string {
	var b strings.Builder
	for line := range strings.Lines(doc) {
		if !strings.HasPrefix(line, "\t") {
			b.WriteString(line)
		}
	}
	return b.String()
}
