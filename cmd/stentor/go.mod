module github.com/stentor-sse/stentor/cmd/stentor

go 1.26.0

require (
	github.com/prometheus/client_golang v1.25.0
	github.com/rogpeppe/go-internal v1.16.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.10
	github.com/stentor-sse/stentor v0.0.0-00010101000000-000000000000
	github.com/stentor-sse/stentor/bench/load v0.0.0-00010101000000-000000000000
	github.com/stentor-sse/stentor/diskbroker v0.0.0-00010101000000-000000000000
	go.yaml.in/yaml/v3 v3.0.6
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	go.etcd.io/bbolt v1.5.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/tools v0.36.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace (
	github.com/stentor-sse/stentor => ../..
	github.com/stentor-sse/stentor/bench/load => ../../bench/load
	github.com/stentor-sse/stentor/diskbroker => ../../diskbroker
)
