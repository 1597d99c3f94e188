# make help lists the targets. Only Go, gcc, git, make and apt are needed to
# begin with: what else a target needs, tools/deps installs if it is missing.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

GO      ?= go
VERSION ?= $(shell tools/version)
VERSION := $(VERSION)
LDFLAGS := -s -w -X main.version=$(VERSION)
# What urfave/cli writes manuals with stays out: two modules less that run as root.
TAGS    := urfave_cli_no_docs
DEBS    := build/e2e/debs
ROOTFS  := build/e2e/rootfs
E2E      = $(GO) test -tags e2e -count=1 -parallel 2
E2E_ROOMS = $(E2E) -timeout 10m -run 'Oracle|InitramfsTools|Dracut|TestRPM$$|Lintian|Rpmlint|RPMVerifies|Static|TakeOver|LeavesNothing|ChangedHooks|OurUpgrade|TestPurge|TestDebian$$|TestInitReal|RealSources' ./internal/tree ./internal/initramfs ./internal/pkgmgr ./packaging ./pkgfmt/...
LINT    := $(GO) tool -modfile=tools/go.mod golangci-lint
FUZZTIME ?= 30s

# Modules are fetched once, and a build never changes go.mod.
export GOFLAGS := -mod=readonly
# One recipe at a time: they share two cores and the e2e cache.
.NOTPARALLEL:

.DEFAULT_GOAL := help

##@ The two that a new machine needs

.PHONY: demo
demo: deps-demo build ## build a sample module for a real kernel's headers, in a throw-away root, and show it
	bin/dkms-hook demo

.PHONY: test
test: deps-test build unit script e2e ## run all the tests, with all that they need
	@echo "make test: all passed"

##@ Building

.PHONY: build
build: deps-build ## build bin/dkms-hook and bin/dkms-mkpkg, static
	CGO_ENABLED=0 $(GO) build -trimpath -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

# The same commit gives the same bytes: its time is that of all in the packages.
.PHONY: packages
packages: build ## write our own .deb and .rpm into dist, of both programs
	rm -f dist/dkms-{hook,mkpkg}_*.deb dist/dkms-{hook,mkpkg}-*.rpm
	@export SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}; \
		$(GO) run ./packaging -version '$(VERSION)' -programs bin -o dist

.PHONY: clean
clean: ## remove what was built and what tests fetched
	rm -rf bin build dist

##@ Testing

.PHONY: unit
unit: deps-test ## run the tests of the packages
	$(GO) test -count=1 $$($(GO) list ./... | grep -v /test/script)

.PHONY: script
script: deps-test build ## run the command-line scripts of test/script
	$(GO) test -count=1 ./test/script/...

.PHONY: race
race: deps-test ## run the tests of the packages with the race detector
	CGO_ENABLED=1 $(GO) test -race ./...

.PHONY: e2e
e2e: deps-test packages debs rootfs rpmroot ## run the end-to-end tests, in the cut that fits into CI
	$(E2E_ROOMS)
	$(E2E) -timeout 40m ./test/e2e/...

.PHONY: e2e-full
e2e-full: deps-test packages debs rootfs rpmroot benchroot browser ## run the end-to-end tests whole
	$(E2E_ROOMS)
	$(E2E) -timeout 80m ./test/e2e -full
	$(E2E) -timeout 80m ./test/e2e/apt -full
	$(E2E) -timeout 80m ./test/e2e/rpm -full
	$(E2E) -timeout 80m ./test/e2e/mkpkg -full
	$(E2E) -timeout 20m ./test/e2e/probes -full
	$(E2E) -timeout 10m -run Browser ./internal/report/page
	$(E2E) -timeout 120m ./test/bench -full

.PHONY: bench
bench: deps-test build debs ## compare the speed with the real dkms, on the same tree in the same run
	$(E2E) -timeout 60m -v -run '^$$' -bench . ./test/e2e ./test/e2e/mkpkg ./test/e2e/probes

# BENCH are further flags, such as BENCH='-packages 3 -rounds 1'.
.PHONY: bench-dkms
bench-dkms: deps-test build benchroot ## measure builds, status and growth beside dkms and bare make, on a quiet machine (docs/benchmarks.md)
	mkdir -p build/bench
	$(E2E) -timeout 4h -run '^$$' -bench BesideDKMS -benchtime 1x ./test/bench -results $(CURDIR)/build/bench/dkms.json $(BENCH)
	$(E2E) -timeout 2h -run '^$$' -bench Growth -benchtime 1x ./test/bench -results $(CURDIR)/build/bench/growth.json -plot $(CURDIR)/build/bench/growth.svg $(BENCH)

.PHONY: fuzz
fuzz: ## fuzz each target for FUZZTIME (30s)
	@for p in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -r -n1 dirname | sort -u); do \
		for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$p/*_test.go | cut -d' ' -f2); do \
			echo "$$p $$f"; $(GO) test $$p -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME); \
		done; \
	done

##@ Checking

.PHONY: check
check: vet lint ## all that is checked without running: vet, formatting, linter, 32-bit machines
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "gofmt these:"; echo "$$out"; exit 1; }
	GOARCH=386 CGO_ENABLED=0 $(GO) build ./cmd/... # an int of 32 bits
	@for f in tools/deps tools/debs tools/rootfs tools/rpmroot tools/browser tools/version .ci/run; do bash -n $$f; done
	@echo "make check: all good"

.PHONY: vet
vet: ## run go vet, end-to-end tests included
	$(GO) vet -tags e2e ./...

.PHONY: lint
lint: ## run golangci-lint, as pinned in tools/go.mod (its first build takes about a minute)
	$(LINT) run ./...

##@ What the others use

.PHONY: deps-build
deps-build:
	@tools/deps build

.PHONY: deps-demo
deps-demo:
	@tools/deps demo

.PHONY: deps-test
deps-test:
	@tools/deps test

.PHONY: deps
deps: deps-test ## install the Debian packages that are missing for building and testing

.PHONY: debs
debs: ## fetch the Debian packages that end-to-end tests unpack, dkms among them
	@tools/debs $(DEBS)

.PHONY: rootfs
rootfs: ## make the Debian that end-to-end tests of apt and dpkg run in
	@tools/rootfs $(ROOTFS)

.PHONY: rpmroot
rpmroot: ## make the root with rpm and dnf that end-to-end tests run in
	@tools/rpmroot build/e2e/rpmroot

.PHONY: browser
browser: ## unpack the browser that end-to-end tests look at pages with (100 MB to fetch, 300 MB on disk)
	@tools/browser build/e2e/browser

.PHONY: benchroot
benchroot: debs rootfs ## make the Debian with two kernels that bench-dkms measures in
	@tools/benchroot build/e2e/benchroot $(ROOTFS) $(DEBS)

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z0-9-]*:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
