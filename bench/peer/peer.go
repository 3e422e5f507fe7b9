package peer

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	httppprof "net/http/pprof"
	"os"
	"runtime/debug"
	"runtime/pprof"
)

// Server is what the program of a server is made of.
type Server struct {
	// Events serves GET /events?channel=X.
	Events http.Handler
	// Serve takes the place of Events in a server that isn't one of net/http. It
	// accepts connections as long as the program runs.
	Serve func(net.Listener) error
	// Address takes the place of both: where another program serves.
	Address string
	// Secure makes the listener of a server that is told to speak TLS. Nil is that of crypto/tls.
	Secure func(net.Listener, *tls.Config) net.Listener
	// PID is the process to measure; zero is this one.
	PID int
	// Publish sends one event with the given data to a channel. Calls are serial.
	Publish func(channel, data string) error
	// Flush, if there is one, is called when a run of Publish is over.
	Flush func() error
	// Behind, if there is one, is how many of the events of the only channel an average reader
	// has yet to get. A server whose Publish waits for its readers has none.
	Behind func() int
	// Close, if there is one, is called at the end.
	Close func() error
}

// Ready is what a program says first, as one line of JSON.
type Ready struct {
	Events  string // address of GET /events
	Control string // address of the rest
	PID     int    // process to measure
}

// Main runs the program: it parses the flags, makes the server, and serves until standard
// input ends. It exits with 1 when something fails. One flag is its own: -tls, with the
// protocol that is spoken inside.
func Main(build func() (*Server, error)) {
	inside := flag.String("tls", "", "serve over TLS: http1 or http2 in it")
	flag.Parse()
	if err := Run(os.Stdin, os.Stdout, *inside, build); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Run is Main without the process. It returns when in ends or a listener fails; what it
// began may go on until the process ends. Inside is the flag -tls.
func Run(in io.Reader, out io.Writer, inside string, build func() (*Server, error)) error {
	s, err := build()
	if err != nil {
		return err
	}
	front, err := newFront(s, inside)
	if err != nil {
		return err
	}
	if s.Close != nil {
		defer s.Close()
	}
	ready := Ready{Events: s.Address, PID: s.PID}
	if ready.PID == 0 {
		ready.PID = os.Getpid()
	}
	ended := watch(in)
	if s.Address == "" {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		ready.Events = l.Addr().String()
		go func() { ended <- front.serve(l) }()
	}
	control, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer control.Close()
	ready.Control = control.Addr().String()
	go func() { ended <- http.Serve(control, s.control()) }()
	if err := json.NewEncoder(out).Encode(ready); err != nil {
		return err
	}
	return <-ended
}

// watch tells when in ends. There is room for one word from each that may have one.
func watch(in io.Reader) chan error {
	ended := make(chan error, 3)
	go func() {
		_, err := io.Copy(io.Discard, in)
		ended <- err
	}()
	return ended
}

func (s *Server) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /publish", func(w http.ResponseWriter, r *http.Request) {
		o, err := parseRun(r.URL.Query())
		if err == nil {
			err = s.publish(r.Context(), o)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("POST /gc", func(http.ResponseWriter, *http.Request) {
		debug.FreeOSMemory() // collects first
		debug.FreeOSMemory() // what finalizers and pools held
	})
	mux.HandleFunc("POST /profile", func(w http.ResponseWriter, r *http.Request) {
		if err := profile(r.URL.Query().Get("file")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("GET /debug/pprof/", httppprof.Index)
	return mux
}

// profile begins to write a profile of the processor's time to a file, or, without a name,
// ends it.
func profile(file string) error {
	if file == "" {
		pprof.StopCPUProfile()
		return nil
	}
	f, err := os.Create(file) // open until the process ends
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	return nil
}
