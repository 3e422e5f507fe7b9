package origin_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor/internal/origin"
	"github.com/stentor-sse/stentor/internal/problem"
)

const app = "https://app.example"

// call sends one request through the policy; reached says whether next ran.
func call(p *origin.Policy, method string, header map[string]string) (w *httptest.ResponseRecorder, reached bool) {
	r := httptest.NewRequest(method, "https://hub.example/events", nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w = httptest.NewRecorder()
	p.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reached = true })).ServeHTTP(w, r)
	return w, reached
}

func TestCORS(t *testing.T) {
	for _, row := range []struct {
		name              string
		allow             []string
		origin            string
		wantOrigin        string
		credentials, vary bool
	}{
		{"no list, no origin", nil, "", "", false, false},
		{"no list", nil, app, "", false, false},
		{"listed", []string{app}, app, app, true, true},
		{"listed with a slash and in capitals", []string{"HTTPS://App.Example/"}, app, app, true, true},
		{"listed with the default port", []string{"https://app.example:443"}, app, app, true, true},
		{"not listed", []string{app}, "https://evil.example", "", false, true},
		{"no origin, listed ones exist", []string{app}, "", "", false, true},
		{"other scheme", []string{app}, "http://app.example", "", false, true},
		{"other port", []string{app}, app + ":8443", "", false, true},
		{"prefix", []string{app}, app + ".evil.example", "", false, true},
		{"suffix", []string{app}, "https://evilapp.example", "", false, true},
		{"user info", []string{app}, "https://app.example@evil.example", "", false, true},
		{"null", []string{app}, "null", "", false, true},
		{"null listed", []string{"null", app}, "null", "", false, true},
		{"empty listed", []string{""}, "", "", false, false},
		{"everyone", []string{"*"}, app, "*", false, false},
		{"everyone, null", []string{"*"}, "null", "*", false, false},
		{"everyone and a listed one", []string{"*", app}, app, app, true, true},
		{"everyone and a listed one, another", []string{"*", app}, "https://o.example", "*", false, true},
	} {
		for _, method := range []string{"GET", "OPTIONS"} {
			t.Run(method+"/"+row.name, func(t *testing.T) {
				header := map[string]string{"Access-Control-Request-Method": "POST"}
				if row.origin != "" {
					header["Origin"] = row.origin
				}
				w, _ := call(origin.New(row.allow, problem.Write), method, header)
				h := w.Header()
				if got := h.Get("Access-Control-Allow-Origin"); got != row.wantOrigin {
					t.Errorf("Access-Control-Allow-Origin %q, want %q", got, row.wantOrigin)
				}
				if got := h.Get("Access-Control-Allow-Credentials") == "true"; got != row.credentials {
					t.Errorf("credentials %v, want %v", got, row.credentials)
				}
				if got := h.Get("Vary") == "Origin"; got != row.vary {
					t.Errorf("Vary %q, want Origin: %v", h.Get("Vary"), row.vary)
				}
				if got := h.Get("Access-Control-Allow-Headers") != ""; got != (method == "OPTIONS" && row.wantOrigin != "") {
					t.Errorf("Access-Control-Allow-Headers %q", h.Get("Access-Control-Allow-Headers"))
				}
			})
		}
	}
}

func TestPreflight(t *testing.T) {
	w, reached := call(origin.New([]string{app}, problem.Write), "OPTIONS", map[string]string{
		"Origin": app, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-evil",
	})
	if w.Code != http.StatusNoContent || reached {
		t.Fatalf("status %d, handler reached: %v", w.Code, reached)
	}
	h := w.Header()
	if got, want := h.Get("Access-Control-Allow-Methods"), "GET, HEAD, POST, DELETE, OPTIONS"; got != want {
		t.Errorf("Access-Control-Allow-Methods %q, want %q", got, want)
	}
	for _, name := range []string{"Content-Type", "Authorization", "Last-Event-ID", "Cache-Control", "Idempotency-Key", "X-Requested-With"} {
		if !strings.Contains(h.Get("Access-Control-Allow-Headers"), name) {
			t.Errorf("%s is not among the allowed headers", name)
		}
	}
	if strings.Contains(strings.ToLower(h.Get("Access-Control-Allow-Headers")), "evil") {
		t.Error("a requested header was reflected")
	}
	if h.Get("Access-Control-Max-Age") == "" {
		t.Error("no Access-Control-Max-Age")
	}
}

func TestOptionsWithoutCORS(t *testing.T) {
	p := origin.New(nil, problem.Write)
	r := httptest.NewRequest("OPTIONS", "/publish", nil)
	w := httptest.NewRecorder()
	p.Handler(http.NotFoundHandler(), "POST").ServeHTTP(w, r)
	if w.Code != http.StatusNoContent || w.Header().Get("Allow") != "POST, OPTIONS" {
		t.Errorf("status %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestForgery(t *testing.T) {
	for _, row := range []struct {
		name   string
		allow  []string
		header map[string]string
		pass   bool
	}{
		{"no headers, like curl", nil, nil, true},
		{"same origin", nil, map[string]string{"Origin": "https://hub.example", "Sec-Fetch-Site": "same-origin"}, true},
		{"same origin, old browser", nil, map[string]string{"Origin": "https://hub.example"}, true},
		{"typed address", nil, map[string]string{"Sec-Fetch-Site": "none"}, true},
		{"cross-site form", nil, map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, false},
		{"cross-site form, old browser", nil, map[string]string{"Origin": "https://evil.example"}, false},
		{"sibling", nil, map[string]string{"Origin": "https://x.hub.example", "Sec-Fetch-Site": "same-site"}, false},
		{"null", nil, map[string]string{"Origin": "null", "Sec-Fetch-Site": "cross-site"}, false},
		{"null, listed", []string{"null"}, map[string]string{"Origin": "null"}, false},
		{"listed", []string{app}, map[string]string{"Origin": app, "Sec-Fetch-Site": "cross-site", "Cookie": "a=b"}, true},
		{"not listed", []string{app}, map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, false},
		{"everyone", []string{"*"}, map[string]string{"Origin": app, "Sec-Fetch-Site": "cross-site"}, true},
		{"everyone, bearer", []string{"*"}, map[string]string{"Origin": app, "Authorization": "bearer x"}, true},
		{"everyone, cookie", []string{"*"}, map[string]string{"Origin": app, "Cookie": "a=b"}, false},
		{"everyone, basic", []string{"*"}, map[string]string{"Origin": app, "Authorization": "Basic eDp5"}, false},
		{"everyone, cookie, same origin", []string{"*"}, map[string]string{"Sec-Fetch-Site": "same-origin", "Cookie": "a=b"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, method := range []string{"POST", "PUT", "DELETE"} {
				w, reached := call(origin.New(row.allow, problem.Write), method, row.header)
				if reached != row.pass {
					t.Fatalf("%s: handler reached: %v, want %v", method, reached, row.pass)
				}
				if !row.pass && (w.Code != 403 || w.Header().Get("Content-Type") != "application/problem+json") {
					t.Errorf("%s: %d %s, want a 403 problem", method, w.Code, w.Header().Get("Content-Type"))
				}
			}
			if _, reached := call(origin.New(row.allow, problem.Write), "GET", row.header); !reached {
				t.Error("GET was refused: reading is the browser's to prevent")
			}
		})
	}
}

func TestEveryoneWithAClientCertificateIsRefused(t *testing.T) {
	r := httptest.NewRequest("POST", "https://hub.example/publish", nil)
	r.Header.Set("Origin", app)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}}
	w := httptest.NewRecorder()
	origin.New([]string{"*"}, problem.Write).Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("status %d, want 403", w.Code)
	}
}

func TestEmptyListAllowsNobodyElse(t *testing.T) {
	p := origin.New(nil, problem.Write)
	if _, reached := call(p, "POST", map[string]string{"Origin": app}); reached {
		t.Error("a foreign page changed something")
	}
	if _, reached := call(p, "POST", nil); !reached {
		t.Error("a request that is not a page's was refused")
	}
}

// Each face refuses in its own manner.
func TestRefusalIsAnsweredByTheFace(t *testing.T) {
	p := origin.New(nil, func(w http.ResponseWriter, status int, detail string) { http.Error(w, "mine: "+detail, status) })
	w, reached := call(p, "POST", map[string]string{"Origin": app})
	if reached || w.Code != 403 || !strings.HasPrefix(w.Body.String(), "mine: a page of another origin") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// wrapped fails the type assertion below if the policy puts itself in between.
type wrapped struct{ http.ResponseWriter }

func TestHandlerPassesTheResponseWriterOn(t *testing.T) {
	w := &wrapped{httptest.NewRecorder()}
	origin.New([]string{app}, problem.Write).Handler(http.HandlerFunc(func(got http.ResponseWriter, _ *http.Request) {
		if got != http.ResponseWriter(w) {
			t.Errorf("got a %T", got)
		}
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
}
