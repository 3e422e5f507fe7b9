package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
)

// service is the test service of the contract: it has streams, each one
// a Source that reports to a callback address.
type service struct {
	http.ServeMux
	quit chan struct{} // closed when the harness asks to stop
	once sync.Once

	mu      sync.Mutex // guards all below
	streams map[string]*stream
	last    int
}

func newService() *service {
	s := &service{quit: make(chan struct{}), streams: map[string]*stream{}}
	s.HandleFunc("GET /{$}", s.about)
	s.HandleFunc("DELETE /{$}", s.stop)
	s.HandleFunc("POST /{$}", s.create)
	s.HandleFunc("POST /streams/{id}", s.command)
	s.HandleFunc("DELETE /streams/{id}", s.remove)
	return s
}

// about says what can be tested: everything but listening for one type alone, since a
// Source gives all of them.
func (s *service) about(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"name": "stentor/eventsource",
		"capabilities": []string{
			"bom", "comments", "headers", "last-event-id", "post", "read-timeout", "report", "restart",
			"server-directed-shutdown-request",
		},
	})
}

func (s *service) stop(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusNoContent)
	s.once.Do(func() { close(s.quit) })
}

func (s *service) create(w http.ResponseWriter, r *http.Request) {
	var p params
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	st, err := open(p)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.last++
	id := strconv.Itoa(s.last)
	s.streams[id] = st
	s.mu.Unlock()
	w.Header().Set("Location", "/streams/"+id)
	w.WriteHeader(http.StatusCreated)
}

func (s *service) command(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	st := s.streams[r.PathValue("id")]
	s.mu.Unlock()
	var c struct{ Command string }
	switch err := json.NewDecoder(r.Body).Decode(&c); {
	case st == nil:
		http.NotFound(w, r)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case c.Command == "restart":
		st.source.Restart()
		w.WriteHeader(http.StatusAccepted)
	case c.Command == "listen": // it does, to all types
		w.WriteHeader(http.StatusAccepted)
	default:
		http.Error(w, "commands are restart and listen", http.StatusBadRequest)
	}
}

func (s *service) remove(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	st := s.streams[r.PathValue("id")]
	delete(s.streams, r.PathValue("id"))
	s.mu.Unlock()
	if st == nil {
		http.NotFound(w, r)
		return
	}
	st.close()
	w.WriteHeader(http.StatusNoContent)
}

// close ends all streams.
func (s *service) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, st := range s.streams {
		st.close()
		delete(s.streams, id)
	}
}
