module github.com/stentor-sse/stentor/e2e

go 1.26.0

replace github.com/stentor-sse/stentor => ..
