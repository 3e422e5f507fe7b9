package sse_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stentor-sse/stentor/sse"
)

func TestAcceptable(t *testing.T) {
	for _, c := range []struct {
		name      string
		lines     []string
		ok, given bool
	}{
		{"none", nil, true, false},
		{"empty", []string{""}, true, false},
		{"blank", []string{" ,\t, "}, true, false},
		{"exact", []string{"text/event-stream"}, true, true},
		{"in capitals", []string{"Text/Event-STREAM"}, true, true},
		{"all of text", []string{"text/*"}, true, true},
		{"all", []string{"*/*"}, true, true},
		{"another", []string{"application/json"}, false, true},
		{"among others", []string{"text/html, application/json;q=0.9 , text/event-stream;q=0.1"}, true, true},
		{"on a second line", []string{"text/html", "text/event-stream"}, true, true},
		{"weight zero", []string{"text/event-stream;q=0"}, false, true},
		{"weight zero with decimals", []string{"text/event-stream; Q=0.000"}, false, true},
		{"the specific one decides, no", []string{"*/*, text/event-stream;q=0"}, false, true},
		{"the specific one decides, yes", []string{"text/event-stream;q=0.1, text/*;q=0, */*;q=0"}, true, true},
		{"the type before all", []string{"text/*;q=0, */*"}, false, true},
		{"on the same line twice", []string{"text/*;q=0, text/*"}, true, true},
		{"and the other way round", []string{"text/*, text/*;q=0"}, true, true},
		{"charset", []string{"text/event-stream;charset=UTF-8"}, true, true},
		{"charset in quotes", []string{`text/event-stream; charset="utf-8";q=0.5`}, true, true},
		{"another charset", []string{"text/event-stream;charset=latin1"}, false, true},
		{"the parameter is more specific", []string{"text/event-stream;charset=utf-8;q=0, text/event-stream"}, false, true},
		{"a parameter that the stream has not", []string{"text/event-stream;level=1"}, false, true},
		{"on a wide range", []string{"*/*;level=1"}, false, true},
		{"comma in quotes", []string{`text/html;x="a, text/event-stream, \"b", application/json`}, false, true},
		{"quote in quotes", []string{`text/html;x="\", text/event-stream, "`}, false, true},
		{"quotes that don't end", []string{`text/html;x="a, text/event-stream`}, false, true},
		{"weight over 1", []string{"text/event-stream;q=2"}, false, true},
		{"weight under 0", []string{"text/event-stream;q=-1"}, false, true},
		{"weight that is none", []string{"text/event-stream;q=NaN"}, false, true},
		{"no range", []string{"event-stream; ;;="}, false, true},
		{"broken ones hide no good one", []string{"/;, text/event-stream;q, text/*"}, true, true},
		{"a type of any kind", []string{"*/event-stream"}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["Accept"] = c.lines
			if ok, given := sse.Acceptable(r); ok != c.ok || given != c.given {
				t.Errorf("%q: ok %v, given %v; want %v, %v", c.lines, ok, given, c.ok, c.given)
			}
		})
	}
}
