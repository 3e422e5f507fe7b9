package js

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"time"
)

// dist is what is built. It is a package variable because the compiler fills in no other; it
// can't be changed.
//
//go:embed dist/stentor.js dist/bindings.js
var dist embed.FS

// Client serves the module that has connect. It imports nothing.
func Client() http.Handler { return newFile("dist/stentor.js") }

// Bindings serves the module that binds elements to a client by their attributes. It imports
// nothing.
func Bindings() http.Handler { return newFile("dist/bindings.js") }

// file is one module, ready to be served.
type file struct {
	body []byte
	tag  string
}

func newFile(name string) *file {
	body, err := dist.ReadFile(name)
	if err != nil { // it is in the program
		panic("js: " + err.Error())
	}
	sum := sha256.Sum256(body)
	return &file{body: body, tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`}
}

// ServeHTTP serves the file, or 304 to who has it. Its name stays the same from version to
// version, so that browsers ask each time. Pages of other sites may load it: it is no secret, and a
// hub may have pages elsewhere.
func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("ETag", f.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}
