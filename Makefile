# make run: installs what is missing and starts the app on http://localhost:8501
# make test: installs what is missing and runs every test
# make test-deploy, make test-image, make test-cloud: the service on a fresh Debian or Ubuntu, in a container, and in the memory of
# Streamlit Community Cloud; want root
PYTHON ?= $(shell command -v python3.11 || command -v python3)
ADDRESS ?= localhost
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin

# On Linux the very files that the lock files name; elsewhere what the requirements come to there.
ifeq ($(shell uname -s),Linux)
LOCKED := --require-hashes --requirement requirements.lock
LOCKED_DEV := --require-hashes --requirement requirements-dev.lock
else
LOCKED := --requirement requirements.txt
LOCKED_DEV := --requirement requirements-dev.txt
endif

.PHONY: run test test-deploy test-image test-cloud faults fuzz load bench lint format lock pip-audit study clean

run: $(VENV)/.installed
	$(BIN)/streamlit run Home.py --server.address $(ADDRESS) --server.port $(PORT)

# The page "Live" hears a sound that plays on whether the machine keeps up or not, so that nothing else runs beside its tests.
# Without --no-loadscope-reorder the files with the fewest tests, which take longest, would come last.
test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/browser/test_live.py
	$(BIN)/python -m pytest tests/browser/test_live.py

# Mutated files at the decoder, then hostile requests at the app: make fuzz SECONDS=3600, or N=10000; SEED= and FIRST= repeat inputs.
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz $(if $(N),--number $(N)) $(if $(SECONDS),--seconds $(SECONDS)) \
		$(if $(SEED),--seed $(SEED)) $(if $(FIRST),--first $(FIRST)) $(TARGETS)

# The app under load, with pages open in a browser: 16 clients for MINUTES, then 160.
load: $(VENV)/.installed-dev
	$(BIN)/python -m tests.load $(if $(MINUTES),--minutes $(MINUTES))

# What writes files is killed at every act on the file system there is, where `make test` takes some of them: ten minutes or more.
faults: $(VENV)/.installed-dev
	COUGHLAB_FAULTS=all $(BIN)/python -m pytest -n 2 --dist worksteal tests/faults

# cloud-init makes a fresh machine into the service, and releases change while it is used: make test-deploy SUITE=trixie, or noble
test-deploy: $(VENV)/.installed-dev
	SUITE=$(SUITE) $(BIN)/python -m pytest -s tests/deploy/ec2.py

# The Dockerfile's image, built and run as its first lines say.
test-image: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -s tests/deploy/image.py

# Every page and every way in, in 690 MB.
test-cloud: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -s tests/deploy/cloud.py

# Every figure of speed and memory in one table, ours beside the published stack; wants a quiet machine. The tests run each program on
# its smallest input.
bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What the requirements resolve to for Linux and Python 3.11 to 3.13, with the hash of every file.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	--upgrade --constraint deploy/constraints.txt
lock: $(VENV)/.installed-dev
	$(BIN)/$(LOCK) requirements.txt --output-file requirements.lock
	$(BIN)/$(LOCK) requirements-dev.txt --constraint requirements.lock --output-file requirements-dev.lock

# Whether anything is known against what the lock files name.
pip-audit: $(VENV)/.installed-dev
	$(BIN)/python deploy/audit.py requirements.lock requirements-dev.lock

# Rebuilds the committed models: make study DATA=folder-of-the-kaggle-dataset
study: $(VENV)/.installed
	$(BIN)/coughlab study run kaggle-trial --data $(DATA)

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what CoughLab needs: about 3 GB, some minutes the first time."
	$(BIN)/python -m pip install --quiet $(LOCKED)
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-dev.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet $(LOCKED_DEV)
# librosa compiles some functions when it is first imported. Two processes that do so at once can leave compiled files of both,
# which do not fit together (numba/numba#10128), and every import after that crashes; so one process does it here.
	$(BIN)/python -c "import librosa; librosa.beat.beat_track"
	touch $@
