package serverevents

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
)

const (
	command = "cmd."
	// untyped is the selector of a message without a type.
	untyped = "cmd.message"
	// maxType is the hub's bound on message types, in bytes.
	maxType = 128
)

// Selectors of what the face itself says.
const (
	onConnect   = "onConnect"
	onJoin      = "onJoin"
	onLeave     = "onLeave"
	onUpdate    = "onUpdate"
	onHeartbeat = "onHeartbeat"
	onGap       = "onGap"
	onState     = "onState"
	onEnd       = "onEnd"
)

// reserved reports whether a selector is what only the face says. A client
// believes it: one forged onConnect sends its heartbeats to another site.
func reserved(selector string) bool {
	name, ok := strings.CutPrefix(selector, command)
	name, _, _ = strings.Cut(name, "$") // which clients cut off
	switch name {
	case onConnect, onJoin, onLeave, onUpdate, onHeartbeat, onGap, onState, onEnd:
		return ok
	}
	return false
}

// Selector is the selector of a message type: "cmd.t" for t without a dot, the
// type itself with one, "cmd.message" for none.
func Selector(typ string) string {
	switch {
	case typ == "":
		return untyped
	case strings.Contains(typ, "."):
		return typ
	}
	return command + typ
}

// Type is the message type of a selector (without its channel), the reverse of
// Selector: "t" for "cmd.t" when t has no dot, none for "cmd.message", else the
// selector itself. Errors wrap [stentor.ErrInvalid]: a selector without an op or a
// target, one with a space, `@` or a control character, one over the length
// of a type, and those that only the server may say: cmd.onConnect, onJoin, onLeave,
// onUpdate, onHeartbeat, onGap, onEnd and all that begin with "stentor.".
func Type(selector string) (string, error) {
	op, target, dot := strings.Cut(selector, ".")
	if !dot || op == "" || target == "" {
		return "", fmt.Errorf("%w selector: %q; write op.target, as in cmd.chat", stentor.ErrInvalid, dto.Clip(selector, 64))
	}
	if err := checkSelector(selector); err != nil {
		return "", err
	}
	typ := selector
	switch {
	case selector == untyped:
		return "", nil
	case op == "cmd" && !strings.Contains(target, "."):
		typ = target
	}
	if len(typ) > maxType {
		return "", fmt.Errorf("%w selector: %d bytes, at most %d are allowed", stentor.ErrInvalid, len(typ), maxType)
	}
	if reserved(selector) || op == "stentor" {
		return "", fmt.Errorf("%w selector: %q is for the server alone", stentor.ErrInvalid, dto.Clip(selector, 64))
	}
	return typ, nil
}

// checkSelector refuses what would end the selector before its end.
func checkSelector(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%w selector: not UTF-8", stentor.ErrInvalid)
	}
	for _, r := range s {
		if r == ' ' || r == '@' || unicode.IsControl(r) {
			return fmt.Errorf("%w selector: %q holds %q; write a space as %%20, and leave out @ and control characters",
				stentor.ErrInvalid, dto.Clip(s, 64), r)
		}
	}
	return nil
}
