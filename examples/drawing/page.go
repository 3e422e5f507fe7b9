package main

import (
	"embed"
	"io/fs"
	"net/http"
)

// web is the page. It is a package variable because the compiler fills in no other; it
// can't be changed.
//
//go:embed web
var web embed.FS

// policy lets the page load and call this server alone, and make no markup of texts.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// page serves the files of web.
func page() http.Handler {
	files, err := fs.Sub(web, "web")
	if err != nil { // it is in the program
		panic("drawing: " + err.Error())
	}
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		serve.ServeHTTP(w, r)
	})
}
