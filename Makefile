# `make` alone lists the targets.

GO          ?= go
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
MODULES      = . bench bench/load cmd/stentor diskbroker e2e
M           ?= .
FUZZTIME    ?= 10s
export GOFLAGS ?= -mod=readonly

.DEFAULT_GOAL := help
.PHONY: help demo serve test tools lint alone race fuzz bench bench-compare bench-decode contract-service e2e cover model crash js js-check react-chat react-chat-check

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## serve the Chat application at http://127.0.0.1:8080/
	$(GO) run ./cmd/stentor demo

serve: ## serve the hub alone
	$(GO) run ./cmd/stentor serve

test: tools lint alone js-check react-chat-check ## everything that has to pass; installs what is missing
	@echo "building the tests"; $(GO) test -race -run '^$$' work > /dev/null
	$(GO) test -race -p 1 -timeout 30m work

tools: ## install what the tests need: C compiler, Node.js, Chromium, npm packages
	@./.ci/tools

lint: ## gofmt, vet, staticcheck, in every module
	@bad=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
		if [ -n "$$bad" ]; then echo "gofmt -w $$bad"; exit 1; fi
	$(GO) vet work
	GOFLAGS= $(GO) run $(STATICCHECK) $(MODULES:%=./%/...)

alone: ## each module builds without the others' go.work, and its go.mod is tidy
	@set -e; for m in $(MODULES); do \
		echo "alone: $$m"; \
		(cd $$m && GOWORK=off $(GO) mod tidy -diff && GOWORK=off $(GO) build -o /dev/null ./... && GOWORK=off $(GO) vet ./...); \
	done

race: ## the tests of one module, uncached and shuffled: make race M=cmd/stentor
	cd $(M) && $(GO) test -race -count=1 -shuffle=on ./...

model: ## 10,000 random steps against a plain list, in memory and on disk; make test takes 1,000
	BROKERTEST_STEPS=10000 $(GO) test -race -count=1 -run Walk ./brokertest ./diskbroker

crash: ## 100 kills of the server in a storm of publishers; make test has 20
	cd e2e && E2E_KILLS=100 $(GO) test -race -count=1 -v -run Killed .

fuzz: ## each fuzz test for FUZZTIME (10s)
	@set -e; for f in $$(git ls-files '*_test.go' | xargs grep -l '^func Fuzz'); do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$f); do \
			echo "fuzz: $$(dirname $$f) $$name"; \
			(cd $$(dirname $$f) && $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) .); \
		done; \
	done

bench: ## the micro benchmarks of the root module
	$(GO) test -run '^$$' -bench . -benchmem ./...

bench-compare: ## event servers side by side, in bench/RESULTS.md: half an hour; a minute, to the screen, with ARGS=-quick
	cd bench && $(GO) run ./compare $(ARGS)

bench-decode: ## Go decoders side by side, in bench/DECODING.md: a minute and a half; to the screen, with ARGS='-r 1 -o -'
	cd bench && $(GO) run ./decode $(ARGS)

contract-service: ## let the LaunchDarkly SSE contract tests drive eventsource: make contract-service PORT=8000
	$(GO) run ./eventsource/internal/contractservice -port $(or $(PORT),8000)

js: tools ## build the browser client, js/dist, and print its size
	cd js && npm run --silent build

js-check: tools ## the browser client is built from its sources, and passes its tests in Node.js
	cd js && npm run --silent build -- --check && npm test --silent

react-chat: tools ## build the page of examples/react-chat, its dist
	cd examples/react-chat && npm run --silent build

react-chat-check: tools ## the page of examples/react-chat is built from its sources, and its types fit the browser client
	cd examples/react-chat && npm run --silent check

e2e: tools ## browsers, npm clients, the binary
	cd e2e && $(GO) test -race -count=1 -v ./...

cover: ## coverage of the root module, in cover.out
	$(GO) test -coverprofile=cover.out ./...
	$(GO) tool cover -func=cover.out | tail -n 1
