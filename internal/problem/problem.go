// Package problem answers requests with RFC 9457 problem documents.
package problem

import "net/http"

// Write answers with a problem document: title is the status text, detail says
// what to change.
func Write(w http.ResponseWriter, status int, detail string) { panic("skeleton") }

// Error answers with what err asks for: a *stentor.Refusal's status, 400 for
// ErrInvalid, 413 for ErrTooLarge, 503 for ErrClosed, ErrDraining and ErrFull, 500
// without any internals otherwise.
func Error(w http.ResponseWriter, err error) { panic("skeleton") }
