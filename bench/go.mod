module github.com/stentor-sse/stentor/bench

go 1.26.0

require (
	github.com/alexandrevicenzi/go-sse v1.6.0
	github.com/donovanhide/eventsource v0.0.0-20210830082556-c59027999da0
	github.com/launchdarkly/eventsource v1.11.0
	github.com/openai/openai-go/v3 v3.96.0
	github.com/r3labs/sse/v2 v2.10.0
	github.com/stentor-sse/stentor v0.0.0-00010101000000-000000000000
	github.com/stentor-sse/stentor/bench/load v0.0.0-00010101000000-000000000000
	github.com/tmaxmax/go-sse v0.11.0
)

require (
	github.com/tidwall/gjson v1.20.0 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.1 // indirect
	golang.org/x/net v0.60.0 // indirect
	gopkg.in/cenkalti/backoff.v1 v1.1.0 // indirect
)

replace (
	github.com/stentor-sse/stentor => ..
	github.com/stentor-sse/stentor/bench/load => ./load
)
