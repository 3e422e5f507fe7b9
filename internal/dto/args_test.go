package dto_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
)

func bind(t *testing.T, query, contentType, body string) (dto.Args, error) {
	t.Helper()
	r := httptest.NewRequest("POST", "/x?"+query, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return dto.Bind(httptest.NewRecorder(), r)
}

const (
	form  = "application/x-www-form-urlencoded"
	jsons = "application/json"
)

func TestListSpellings(t *testing.T) {
	for _, c := range []struct{ query, contentType, body, want string }{
		{"names=a,b", "", "", "a b"},
		{"names=a&NAMES=b", "", "", "a b"},
		{"names=%5Ba%2Cb%5D", "", "", "a b"},
		{"names=%5B%22a%22%2C%22b%22%5D", "", "", "a b"},
		{"names=%5B%5D", "", "", ""},
		{"names=a", form, "Names=b", "a b"},
		{"", jsons, `{"names":["a","b"]}`, "a b"},
		{"", jsons, `{"Names":"a,b"}`, "a b"},
		{"", jsons, `{"names":null}`, ""},
		{"", jsons, `{"names":[1,true,null,"b"]}`, "1 true b"},
		{"", "", `{"names":["a"]}`, "a"}, // a beacon says nothing
		{"other=%zz", "", "", ""},        // nobody asks for it
	} {
		a, err := bind(t, c.query, c.contentType, c.body)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if got, err := a.List("names"); err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%+v: got %q, %v", c, got, err)
		}
	}
}

func TestMalformedIsSaidWhenAskedFor(t *testing.T) {
	for _, c := range []struct{ query, contentType, body string }{
		{"names=%zz", "", ""},
		{"names=%ff", "", ""},
		{"", jsons, `{"names":{"a":1}}`},
		{"", jsons, `{"names":[["a"]]}`},
	} {
		a, err := bind(t, c.query, c.contentType, c.body)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if got, err := a.List("names"); !errors.Is(err, stentor.ErrInvalid) || !strings.Contains(err.Error(), "names") {
			t.Errorf("%+v: got %q, %v", c, got, err)
		}
	}
	for _, body := range []string{`{"a":`, `[1]`, "{\"a\":\"\xff\"}"} {
		if _, err := bind(t, "", jsons, body); !errors.Is(err, stentor.ErrInvalid) {
			t.Errorf("%q: got %v", body, err)
		}
	}
}

func TestObjectAndNumber(t *testing.T) {
	a, err := bind(t, "take=12&bad=-1", form, "o="+`{"id":7}`)
	if err != nil {
		t.Fatal(err)
	}
	var o struct{ ID int }
	if given, err := a.Object("o", &o); !given || err != nil || o.ID != 7 {
		t.Errorf("object: %v %v %+v", given, err, o)
	}
	if given, err := a.Object("none", &o); given || err != nil {
		t.Errorf("no object: %v %v", given, err)
	}
	if n, err := a.Number("take", 5); n != 12 || err != nil {
		t.Errorf("number: %d %v", n, err)
	}
	if n, err := a.Number("none", 5); n != 5 || err != nil {
		t.Errorf("no number: %d %v", n, err)
	}
	if _, err := a.Number("bad", 5); !errors.Is(err, stentor.ErrInvalid) {
		t.Errorf("bad number: %v", err)
	}
}

// Whatever is sent, binding and asking end without a panic, and what comes out of a
// list was in what went in.
func FuzzBind(f *testing.F) {
	f.Add("names=a,b&x=%zz", form, "names=c")
	f.Add("", jsons, `{"names":["a",1,null],"Names":"[x]"}`)
	f.Add("names=[\"a", "text/plain", "{")
	f.Fuzz(func(t *testing.T, query, contentType, body string) {
		r := httptest.NewRequest("POST", "/x", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", contentType)
		a, err := dto.Bind(httptest.NewRecorder(), r, "id")
		if err != nil {
			return
		}
		if list, err := a.List("names"); err == nil && slices.Contains(list, "") {
			t.Errorf("a blank name in %q", list)
		}
		a.Text("names")
		a.Number("names", 0)
		a.Split("names")
		var o map[string]any
		a.Object("names", &o)
	})
}
