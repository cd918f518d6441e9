# Every command sets up what it needs; `make demo` is the first one to try.
# Which Python to take: empty, 3.12 or 3.11 where there is one, else uv fetches it.
PYTHON ?=
UV_VERSION := 0.13.9
# Microsoft's own Python worker, for one test. Its metadata asks for Python 3.13; it works on 3.11 and 3.12.
WORKER_VERSION := 1.3.0
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON_READY := $(VENV)/.ready
NODE_READY := node_modules/.ready
READY := $(PYTHON_READY) $(NODE_READY)
PAGE_NODE_READY := dashboard/node_modules/.ready
PAGE_READY := dashboard/dist/.ready
PAGE_SOURCES := $(shell find dashboard/src dashboard/styles -type f) $(addprefix dashboard/,build.mjs index.html icons.svg tsconfig.json)

.PHONY: ready demo animation rehearse run test unit check page page-check pictures lint types nightly soak bench histories infra package openapi models command lock clean

ready: $(READY) $(PAGE_READY)  ## install what is needed, and start nothing

demo: $(READY) $(PAGE_READY)  ## a good deployment and a bad one, in under a minute; ARGS="--stay" leaves everything running
	$(BIN)/python -m local.demo $(ARGS)

animation: $(PYTHON_READY)  ## draw the README's picture anew, after a change of what the demo does
	$(BIN)/python -m local.demo.animation docs/demo.svg

rehearse: $(PYTHON_READY)  ## deployments to a copy of a scale set of yours: SET=my-set.json, as `az vmss show` prints it
	@test -n "$(SET)" || { echo "Say which: make rehearse SET=my-set.json (az vmss show -g GROUP -n NAME > my-set.json)"; exit 2; }
	$(BIN)/python -m local.rehearsal $(SET) $(ARGS)

run: $(READY) $(PAGE_READY)  ## start everything on this machine; ARGS="--speed 1" and others go through
	$(BIN)/python -m local $(ARGS)

test: $(READY) $(PAGE_READY)  ## every test, on two processors
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

unit: $(READY)  ## the tests that take no time
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile $(ARGS)

check: lint types test page-check  ## what to run before a commit

page: $(PAGE_READY)  ## build the page that people look at

pictures: $(READY) $(PAGE_READY)  ## the README's pictures of the page, anew
	PYTHONPATH=. $(BIN)/python dashboard/pictures.py

page-check: $(PAGE_READY)  ## the types and the tests of the page's own code
	npm run --prefix dashboard --silent check
	npm test --prefix dashboard --silent

lint: $(PYTHON_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(PYTHON_READY)
	$(BIN)/mypy

nightly: $(READY) $(PAGE_READY)  ## what `make test` leaves out for its length, and a soak
	$(BIN)/python -m pytest -m nightly -n 2 --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m local.soak --seeds 2000
	$(BIN)/python -m local.soak --months 1

soak: $(PYTHON_READY)  ## random deployments under every promise, for as long as you like; ARGS="--seeds 2000", or ARGS="--year"
	$(BIN)/python -m local.soak $(ARGS)

bench: $(READY)  ## requests, events, CPU and wall time at 10, 100 and 900 VMs
	$(BIN)/python -m bench $(ARGS)

histories: $(PYTHON_READY)  ## record this version's histories and rows, for the tests of all later ones
	$(BIN)/python -m local.recording

infra: $(PYTHON_READY)  ## compile and lint the Bicep files, and hold the examples to their snapshots; ARGS="--keep" writes these anew
	$(BIN)/python -m infra.check $(ARGS)

package: $(PYTHON_READY) $(PAGE_READY)  ## lay out what is deployed, in dist
	$(BIN)/python infra/package.py $(ARGS)

openapi: $(PYTHON_READY)  ## write docs/openapi.json and the tables of docs/api.md, after a change of the API
	$(BIN)/python -m api > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json
	$(BIN)/python -m api.tables docs/api.md

models: $(PYTHON_READY)  ## write the command's models, after a change of docs/openapi.json
	cd cli && ../$(BIN)/datamodel-codegen
	$(BIN)/ruff format -q cli/teal_cli/api/models.py

command: $(PYTHON_READY)  ## teal.pyz, which runs on any Python from 3.11 on, into the action's folder
	$(BIN)/python cli/pack.py pipelines/github/teal.pyz

lock: $(PYTHON_READY)  ## pin again after a change of pyproject.toml
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-emit-find-links --no-annotate --generate-hashes --custom-compile-command "make lock" cli/pyproject.toml -o cli/requirements.txt

clean:
	rm -rf $(VENV) node_modules dashboard/node_modules dashboard/dist

$(PYTHON_READY): requirements-dev.txt
	@VENV=$(VENV) sh local/venv.sh $(UV_VERSION) $(PYTHON)
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --ignore-requires-python azure-functions-runtime==$(WORKER_VERSION)
	touch $@

$(NODE_READY): package-lock.json
	@node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2> /dev/null && command -v npm > /dev/null \
		|| { echo "Teal's local platform needs Node 20 or later with npm (https://nodejs.org)"; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	touch $@

$(PAGE_NODE_READY): dashboard/package-lock.json
	@command -v npm > /dev/null || { echo "The page is built with Node 20 or later (https://nodejs.org)"; exit 1; }
	npm ci --prefix dashboard --no-audit --no-fund --loglevel=error
	touch $@

$(PAGE_READY): $(PAGE_NODE_READY) docs/openapi.json $(PAGE_SOURCES)
	npm run --prefix dashboard --silent build
	touch $@
