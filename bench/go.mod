module github.com/stentor-sse/stentor/bench

go 1.26.0

require (
	github.com/alexandrevicenzi/go-sse v1.6.0
	github.com/launchdarkly/eventsource v1.11.0
	github.com/r3labs/sse/v2 v2.10.0
	github.com/stentor-sse/stentor v0.0.0-00010101000000-000000000000
	github.com/stentor-sse/stentor/bench/load v0.0.0-00010101000000-000000000000
	github.com/tmaxmax/go-sse v0.11.0
)

require (
	golang.org/x/net v0.0.0-20191116160921-f9c825593386 // indirect
	gopkg.in/cenkalti/backoff.v1 v1.1.0 // indirect
)

replace (
	github.com/stentor-sse/stentor => ..
	github.com/stentor-sse/stentor/bench/load => ./load
)
