package chat

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/stentor-sse/stentor/js"
)

// web is the page. It is a package variable because the compiler fills in no other;
// it can't be changed.
//
//go:embed web/*.html web/*.css web/*.js web/*.svg
var web embed.FS

// contentPolicy is the page's content security policy: scripts, styles and connections of
// this server alone, pictures of others only over https, nothing inline, no frames
// around and within but YouTube's player, and no way to make a script or markup of a text.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data: https:; frame-src https://www.youtube-nocookie.com; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// asset is one file of the page, ready to be served.
type asset struct {
	name, kind, tag string
	body            []byte
}

// pages adds the routes of the page: its HTML at the root and the rest under
// /chat/, with the client of the hub, which an application may or may not serve elsewhere.
func (c *Chat) pages() {
	c.routes = append(c.routes, route{"GET /chat/stentor.js", js.Client()})
	entries, err := fs.ReadDir(web, "web")
	if err != nil {
		panic("chat: embedded page: " + err.Error())
	}
	for _, entry := range entries {
		switch name := entry.Name(); name {
		case pageFile:
			c.routes = append(c.routes, route{"GET /{$}", newAsset(name, c.page())})
		case byNameFile: // that provider's
		default:
			c.routes = append(c.routes, route{"GET /chat/" + name, newAsset(name, file(name))})
		}
	}
}

// Files of the page that are templates.
const (
	pageFile   = "index.html"
	byNameFile = "byname.html"
)

// page is the page with the options in it.
func (c *Chat) page() []byte {
	names := []string{}
	for _, p := range c.o.SignIn {
		names = append(names, p.Name())
	}
	return fill(pageFile, struct {
		Channels, SignIn string
		MaxText          int
	}{encode(c.o.Channels), encode(names), maxText})
}

// file is one of the page's. They are in the program, so a broken one is the program's
// fault.
func file(name string) []byte {
	body, err := fs.ReadFile(web, path.Join("web", name))
	if err != nil {
		panic("chat: embedded page: " + err.Error())
	}
	return body
}

// fill puts values into a template.
func fill(name string, values any) []byte {
	var b bytes.Buffer
	t := template.Must(template.New(name).Parse(string(file(name))))
	if err := t.Execute(&b, values); err != nil {
		panic("chat: embedded page: " + err.Error())
	}
	return b.Bytes()
}

// encode is a list as the page reads it.
func encode(list []string) string {
	b, err := json.Marshal(list)
	if err != nil { // strings: can't be
		panic("chat: page: " + err.Error())
	}
	return string(b)
}

func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	return &asset{
		name: name, kind: contentType(name), body: body,
		tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`,
	}
}

// contentType says it for the few kinds there are: the system's table may differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// ServeHTTP serves the file, or 304 to who has it. Names stay the same from version
// to version, so that browsers ask each time.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pageHeader(w.Header(), a.kind)
	w.Header().Set("ETag", a.tag)
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.body))
}

// pageHeader sets what every file of a page is served with.
func pageHeader(h http.Header, kind string) {
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if strings.HasPrefix(kind, "text/html") || kind == "image/svg+xml" {
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Frame-Options", "DENY")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	}
}
