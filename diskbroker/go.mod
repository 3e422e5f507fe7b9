module github.com/stentor-sse/stentor/diskbroker

go 1.26.0

require (
	github.com/stentor-sse/stentor v0.0.0-00010101000000-000000000000
	go.etcd.io/bbolt v1.5.0
)

require golang.org/x/sys v0.45.0 // indirect

replace github.com/stentor-sse/stentor => ..
