package client

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"
)

// maxCookies is how many cookies are taken before all are forgotten: a Stentor server sets one, and
// no server is to make a client grow that runs for years.
const maxCookies = 100

// jar keeps the server's cookies.
type jar struct {
	mu    sync.Mutex // guards all below
	inner *cookiejar.Jar
	taken int
}

func (j *jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.taken += len(cookies); j.inner == nil || j.taken > maxCookies {
		inner, err := cookiejar.New(nil)
		if err != nil { // never, without options
			return
		}
		j.inner, j.taken = inner, len(cookies)
	}
	j.inner.SetCookies(u, cookies[:min(len(cookies), maxCookies)])
}

func (j *jar) Cookies(u *url.URL) []*http.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.inner == nil {
		return nil
	}
	return j.inner.Cookies(u)
}
