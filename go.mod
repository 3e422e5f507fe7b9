module github.com/stentor-sse/stentor

go 1.26.0
