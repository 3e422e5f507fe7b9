package chat

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"html"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minContrast is what the initials have against their ground at least: WCAG asks for
// 4.5 to 1.
const minContrast = 5

// initialsPicture draws the initials of a name, in a colour that goes with the id, as a data: URL:
// nothing is asked for by those who see it, and it is the same whatever name they
// know this server by. It holds no space and no quote.
func initialsPicture(id, name string) string {
	text := initials(name)
	size := 15
	if utf8.RuneCountInString(text) > 2 {
		size = 12
	}
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="%s" d="M0 0h32v32H0z"/>`+
		`<text x="16" y="16" dy=".36em" fill="#fff" text-anchor="middle" font-family="system-ui,sans-serif" font-weight="600" font-size="%d">%s</text></svg>`,
		colour(id), size, html.EscapeString(text))
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(svg))
}

// initials are the first characters of the first and the last word; of a single word
// that ends in a number, as in user12, the first character and the number. Letters that join
// their neighbours stand alone.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("._-", r) })
	if len(words) == 0 {
		return "?"
	}
	first, rest := character(words[0])
	switch {
	case joins(first):
		return first
	case len(words) > 1:
		last, _ := character(words[len(words)-1])
		if joins(last) {
			return first
		}
		return strings.ToUpper(first + last)
	}
	number := rest[len(strings.TrimRightFunc(rest, unicode.IsDigit)):]
	if n := utf8.RuneCountInString(number); n > 2 {
		number = ""
	}
	return strings.ToUpper(first + number)
}

// joins reports whether a letter changes its shape beside others.
func joins(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko, unicode.Mandaic)
}

// maxMarks bounds what may be stacked on one character.
const maxMarks = 8

// character is what a reader takes for the first character of s: a letter with its marks, an
// emoji with its modifiers and what is joined to it, a flag. It is an approximation of
// extended grapheme clusters (UAX #29) that is good enough for a picture.
func character(s string) (first, rest string) {
	r, at := utf8.DecodeRuneInString(s)
	flag := isRegional(r)
	for n, joined := 0, false; at < len(s) && n < maxMarks; n++ {
		r, size := utf8.DecodeRuneInString(s[at:])
		switch {
		case r == zeroWidthJoiner:
			joined = true
		case joined:
			joined = false
		case flag && isRegional(r):
			flag = false
		case !unicode.Is(unicode.M, r) && (r < 0x1F3FB || r > 0x1F3FF):
			return s[:at], s[at:]
		}
		at += size
	}
	return s[:at], s[at:]
}

const zeroWidthJoiner = '\u200d'

func isRegional(r rune) bool { return 0x1F1E6 <= r && r <= 0x1F1FF }

// colour is the ground of somebody's picture: a hue that goes with the id, as dark as white
// text on it needs.
func colour(id string) string {
	sum := fnv.New64a()
	sum.Write([]byte(id)) // never fails
	hue := 360 * float64(sum.Sum64()*goldenRatio>>32) / (1 << 32)
	for light := 0.55; ; light -= 0.01 {
		r, g, b := rgb(hue, 0.5, light)
		if 1.05/(luminance(r, g, b)+0.05) >= minContrast {
			return fmt.Sprintf("#%02x%02x%02x", r, g, b)
		}
	}
}

// goldenRatio is 2^64 divided by it: multiplying spreads what is close.
const goldenRatio = 0x9E3779B97F4A7C15

// rgb is the colour of a hue in degrees, a saturation and a lightness (CSS Color 4 §7.1).
func rgb(hue, saturation, light float64) (r, g, b uint8) {
	at := func(n float64) uint8 {
		k := math.Mod(n+hue/30, 12)
		a := saturation * min(light, 1-light)
		return uint8(math.Round(255 * (light - a*max(-1, min(k-3, 9-k, 1)))))
	}
	return at(0), at(8), at(4)
}

// luminance is what WCAG 2 calls relative luminance.
func luminance(r, g, b uint8) float64 {
	linear := func(v uint8) float64 {
		c := float64(v) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
