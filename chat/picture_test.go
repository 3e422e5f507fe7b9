package chat_test

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/ssetest"
)

// drawn is the SVG in a data: URL.
func drawn(t testing.TB, picture string) string {
	t.Helper()
	text, ok := strings.CutPrefix(picture, "data:image/svg+xml;base64,")
	b, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		t.Fatalf("picture %q: %v", picture, err)
	}
	return string(b)
}

// pictureOf is the picture of an anonymous subscriber with a name.
func pictureOf(t testing.TB, id, name string) string {
	t.Helper()
	hub, err := stentor.New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Shutdown(t.Context())
	sub, err := hub.Subscribe(t.Context(), &stentor.SubscribeOptions{User: id, DisplayName: name})
	if err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	c := chat.New(hub, nil)
	if err := c.Prepare(nil, request(), sub); err != nil {
		t.Fatal(err)
	}
	return sub.Member().Meta["profileUrl"]
}

func TestInitials(t *testing.T) {
	for _, row := range []struct{ name, want string }{
		{"user12", "U12"}, {"user1", "U1"}, {"user123", "U"}, {"Ann Lee", "AL"}, {"ann", "A"}, {"ann-marie van der lee", "AL"}, {"...", "?"},
		{"🎺 x", "🎺X"}, {"👩‍🚀 Sally", "👩‍🚀S"}, {"👍🏽", "👍🏽"}, {"🇫🇷🇩🇪", "🇫🇷"}, {"e\u0301ric", "E\u0301"}, {"王小明", "王"}, {"דנה כהן", "דכ"}, {"مريم علي", "م"}, {"Ann علي", "A"},
		{"हिन्दी", "हि"}, {"<b>", "&lt;"}, {`"&' x`, "&#34;X"}, {"ß", "ß"}, {"a" + strings.Repeat("\u0301", 60), "A" + strings.Repeat("\u0301", 8)},
	} {
		svg := drawn(t, pictureOf(t, "u", row.name))
		if got := regexp.MustCompile(`>([^<>]*)</text>`).FindStringSubmatch(svg); got == nil || got[1] != row.want {
			t.Errorf("%.20q: %q, want %q", row.name, got, row.want)
		}
		if err := xml.Unmarshal([]byte(svg), new(any)); err != nil {
			t.Errorf("%.20q: %v in %s", row.name, err, svg)
		}
	}
}

// S-32: pictures are drawn here, small, and fit wherever pages put them.
func TestPictureIsADataURL(t *testing.T) {
	for _, name := range []string{"user1", `"><script>alert(1)</script>`, "\u202eevil", "a\\b"} {
		picture := pictureOf(t, "u", name)
		if len(picture) > 480 || strings.ContainsAny(picture, " '\"<>()\\\n") {
			t.Errorf("%q: %d bytes: %s", name, len(picture), picture)
		}
	}
	if first, again := pictureOf(t, "a", "Ann"), pictureOf(t, "a", "Ann"); first != again {
		t.Error("one person has two pictures")
	}
	colours := map[string]bool{}
	for i := range 40 {
		colours[ground(t, pictureOf(t, fmt.Sprint("u", i), "Ann"))] = true
	}
	if len(colours) < 30 {
		t.Errorf("%d colours for 40 users", len(colours))
	}
}

func ground(t testing.TB, picture string) string {
	t.Helper()
	found := regexp.MustCompile(`fill="#([0-9a-f]{6})"`).FindStringSubmatch(drawn(t, picture))
	if found == nil {
		t.Fatalf("no colour in %s", drawn(t, picture))
	}
	return found[1]
}

// TestPictureContrast: white letters can be read on every ground (WCAG 2.2, 1.4.3).
func TestPictureContrast(t *testing.T) {
	for i := range 300 {
		hex := ground(t, pictureOf(t, fmt.Sprint("user ", i), "x"))
		v, err := strconv.ParseUint(hex, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		light := 0.0
		for n, weight := range []float64{0.0722, 0.7152, 0.2126} {
			c := float64(v>>(8*n)&255) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			light += weight * c
		}
		if contrast := 1.05 / (light + 0.05); contrast < 4.5 {
			t.Errorf("#%s: %.2f to 1", hex, contrast)
		}
	}
}

// S-32: everyone is told everyone's picture, and messages carry that of their sender.
func TestPicturesAreTold(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		a, ada := s.join("home"), s.join("home", s.signIn("Ada"))
		for _, u := range []*user{a, ada} {
			if svg := drawn(t, u.info["profileUrl"]); !strings.Contains(svg, ">"+strings.ToUpper(u.me[:1])) {
				t.Errorf("%s: %s", u.me, svg)
			}
		}
		if a.info["profileUrl"] == ada.info["profileUrl"] {
			t.Error("two people have one picture")
		}
		_, list := s.srv.Do(t, "GET", "/event-subscribers?channels=home", "")
		if !strings.Contains(list, a.info["profileUrl"]) || !strings.Contains(list, ada.info["profileUrl"]) {
			t.Errorf("listed %s", list)
		}
		if m := s.say(ada, "home", "x"); m.ProfileURL != ada.info["profileUrl"] {
			t.Errorf("said with %q", m.ProfileURL)
		}
		ada.Close()
		pass(60e9)
		if got := s.history("channels=home"); got[0].ProfileURL != ada.info["profileUrl"] {
			t.Errorf("kept %+v", got[0])
		}
	})
}
