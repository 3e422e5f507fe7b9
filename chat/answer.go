package chat

import (
	"log/slog"
	"net/http"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
)

// service is one of the services: nil without an error answers 204.
type service func(r *http.Request, a dto.Args) (any, error)

// answering reads the parameters, calls s and answers with what it returns.
func (c *Chat) answering(s service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var result any
		a, err := dto.Bind(w, r, "channel")
		if err == nil {
			result, err = s(r, a)
		}
		var body []byte
		if err == nil && result != nil {
			body, err = dto.Encode(result)
		}
		switch {
		case err != nil:
			c.refuse(w, r, err)
		case result == nil:
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNoContent)
		default:
			dto.Answer(w, http.StatusOK, body)
		}
	})
}

// refuse answers with the envelope that err asks for and logs it once: what the
// caller can mend at debug, what only the operator can at error.
func (c *Chat) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, message := dto.Explain(err)
	level := slog.LevelDebug
	if status == http.StatusInternalServerError && r.Context().Err() == nil {
		level = slog.LevelError
	}
	c.o.Logger.Log(r.Context(), level, "request refused",
		"method", r.Method, "pattern", r.Pattern, "status", status, "err", dto.Clip(err.Error(), 256))
	dto.Error(w, status, message)
}

func forbidden(detail string) error {
	return &stentor.Refusal{Status: http.StatusForbidden, Detail: detail}
}

func badRequest(detail string) error {
	return &stentor.Refusal{Status: http.StatusBadRequest, Detail: detail}
}
