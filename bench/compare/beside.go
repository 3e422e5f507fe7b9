package main

import (
	"os"
	"path/filepath"
	"strings"
)

// beside gives what was measured by itself, from the reports in a directory, so that the whole is in one. What
// isn't there is left out.
func beside(dir string) string {
	var b strings.Builder
	if text, err := os.ReadFile(filepath.Join(dir, "HISTORY.md")); err == nil {
		b.WriteString("\n#" + strings.TrimSuffix(string(text), "\n") + "\n")
	}
	if text, err := os.ReadFile(filepath.Join(dir, "DECODING.md")); err == nil {
		if tables := between(string(text), "\nCPU an event", "\n### "); tables != "" {
			b.WriteString("\n## Decoders side by side\n\nThe streams, what each decoder makes of them, rates and profiles: [DECODING.md](DECODING.md).\n" + tables)
		}
	}
	return b.String()
}

// between is the part of a text from one mark up to the next other one; "" without them.
func between(text, from, to string) string {
	i := strings.Index(text, from)
	if i < 0 {
		return ""
	}
	n := strings.Index(text[i:], to)
	if n < 0 {
		return ""
	}
	return text[i : i+n]
}
