# Every command sets up what it needs; `make demo` is the first one to try.
# Which Python to take: empty, 3.12 or 3.11 where there is one, else uv fetches it.
PYTHON ?=
UV_VERSION := 0.13.9
# Microsoft's own Python worker, for one test. Its metadata asks for Python 3.13; it works on 3.11 and 3.12.
WORKER_VERSION := 1.3.0
BIN := .venv/bin
PYTHON_READY := .venv/.ready
NODE_READY := node_modules/.ready
READY := $(PYTHON_READY) $(NODE_READY)

.PHONY: ready demo animation rehearse run test unit check lint types soak bench histories lock clean

ready: $(READY) $(PAGE_READY)  ## install what is needed, and start nothing

demo: $(READY) $(PAGE_READY)  ## a good deployment and a bad one, in under a minute; ARGS="--stay" leaves everything running
	$(BIN)/python -m local.demo $(ARGS)

animation: $(PYTHON_READY)  ## draw the README's picture anew, after a change of what the demo does
	$(BIN)/python -m local.demo.animation docs/demo.svg

rehearse: $(PYTHON_READY)  ## deployments to a copy of a scale set of yours: SET=my-set.json, as `az vmss show` prints it
	@test -n "$(SET)" || { echo "Say which: make rehearse SET=my-set.json (az vmss show -g GROUP -n NAME > my-set.json)"; exit 2; }
	$(BIN)/python -m local.rehearsal $(SET) $(ARGS)

run: $(READY)  ## start everything on this machine; ARGS="--speed 1" and others go through
	$(BIN)/python -m local $(ARGS)

test: $(READY)  ## every test, on two processors
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

unit: $(READY)  ## the tests that take no time
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile $(ARGS)

check: lint types test  ## what to run before a commit

lint: $(PYTHON_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(PYTHON_READY)
	$(BIN)/mypy

soak: $(PYTHON_READY)  ## random deployments under every promise, for as long as you like; ARGS="--seeds 2000"
	$(BIN)/python -m local.soak $(ARGS)

bench: $(READY)  ## requests, events, CPU and wall time at 10, 100 and 900 VMs
	$(BIN)/python -m bench $(ARGS)

histories: $(PYTHON_READY)  ## record this version's histories and rows, for the tests of all later ones
	$(BIN)/python -m local.recording

lock: $(PYTHON_READY)  ## pin again after a change of pyproject.toml
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt

clean:
	rm -rf .venv node_modules

$(PYTHON_READY): requirements-dev.txt
	@sh local/venv.sh $(UV_VERSION) $(PYTHON)
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --ignore-requires-python azure-functions-runtime==$(WORKER_VERSION)
	touch $@

$(NODE_READY): package-lock.json
	@node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2> /dev/null && command -v npm > /dev/null \
		|| { echo "Teal's local platform needs Node 20 or later with npm (https://nodejs.org)"; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	touch $@
