module github.com/stentor-sse/stentor/bench/load

go 1.26.0
