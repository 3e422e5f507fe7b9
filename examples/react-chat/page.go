package main

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
)

// dist is the page as it was built. It is a package variable because the compiler fills in no other.
//
//go:embed dist
var dist embed.FS

// contentPolicy lets the page run its own scripts and styles, talk to its own server, and nothing else:
// no text of a message can become more than text.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// page serves files.
type page struct {
	files http.Handler
	tags  map[string]string // by path
}

func newPage(files fs.FS) (*page, error) {
	p := &page{files: http.FileServerFS(files), tags: map[string]string{}}
	return p, fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		p.tags["/"+name] = `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
		return nil
	})
}

// ServeHTTP serves a file, or 304 to who has it: names stay the same from version to version.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Clean(r.URL.Path)
	if name == "/" {
		name = "/index.html"
	}
	tag, ok := p.tags[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", contentPolicy)
	p.files.ServeHTTP(w, r)
}
