# Everything a clone needs, in one place. `make demo` and `make test` set up .venv by themselves.
#
#   make demo [ROBOT=unitree_g1] [AUDIO=my.wav]   speech through real ROS 2 processes to a video
#   make test                                     the whole suite
#   make fuzz                                     more than 100 000 broken inputs of every kind
#   make soak                                     long campaigns: hours, for a machine of its own
#   make train DATA=/path/to/data [CONFIG=my.yaml]  corpora to bundle, see docs/training.md

PYTHON ?= python3
VENV ?= .venv
ROBOT ?= humanoid
AUDIO ?= examples/hello.wav
OUT ?= out/demo
CONFIG ?= training/config/base.yaml
CORPUS ?= corpus
BUNDLE ?= bundles/base

BIN := $(VENV)/bin
RUN := $(BIN)/python
STAMP := $(VENV)/.requirements
TRAINING_STAMP := $(VENV)/.requirements-training
TRAIN := PYTHONPATH=.:training $(RUN) -m gesture_training
LEARN = PYTHONPATH=.:training $(RUN) $(if $(GPUS),-m torch.distributed.run --standalone \
    --nproc-per-node $(GPUS)) -m gesture_training
TRAINING_RUN ?= runs/base
LISTEN_MINUTES ?= 10
MINUTES ?= 50
BODY_MINUTES ?= 20
SYNC_MINUTES ?= 5
LISTEN_CONFIG ?= training/config/listen.yaml
BODY_CONFIG ?= training/config/body.yaml
steps = $(if $(STEPS),--steps $(STEPS))
ablation = $(ABLATION:%=training/config/ablations/%.yaml)
resume = $(if $(wildcard $(TRAINING_RUN)/$1/checkpoint.pt),--resume)
# The features of another front end than mel are made from a corpus by hand, and kept.
has_front_end = test -f '$(CORPUS)/frontend.yaml'
no_faces = test ! -f '$(CORPUS)/face_takes.json'
require_data = test -n '$(DATA)' || { echo 'say where the data are: make $@ DATA=/path/to/data' >&2; exit 2; }

.PHONY: help venv test fuzz soak test-training demo bench pages corpus train evaluate gallery lint clean

help:
	@sed -n 's/^#   //p' Makefile
	@echo 'also: venv, corpus DATA=..., evaluate DATA=..., gallery DATA=..., test-training, bench, pages, lint, clean'

venv: $(STAMP)

$(STAMP): requirements.txt setup.py package.xml
	@tools/make_venv.sh '$(PYTHON)' '$(VENV)' requirements.txt

$(TRAINING_STAMP): requirements-training.txt $(STAMP)
	@tools/make_venv.sh '$(PYTHON)' '$(VENV)' requirements-training.txt

test: $(STAMP)
	@$(RUN) -m pytest -q test

# Every robot, in JOBS=2 processes (default: one for each core); ROBOTS=nao,humanoid, SOAK_WINDOWS=480,
# SOAK_MINUTES=1 do less. Speech of held-out speakers with DATA=/path/to/data. Then all else.
soak: $(STAMP)
	@$(if $(DATA),DATA='$(abspath $(DATA))') $(RUN) test/soak/campaign.py \
	    $(if $(JOBS),--jobs $(JOBS)) $(if $(ROBOTS),--robots $(ROBOTS))
	@$(RUN) -m pytest -q -s -m soak test --ignore test/soak/test_safety_soak.py \
	    --ignore test/soak/test_ten_minutes.py --ignore test/soak/test_slow_minutes.py \
	    --ignore test/motion/test_collision_shapes.py

# FUZZ_SCALE=10 makes ten times as many cases.
fuzz: $(STAMP)
	@$(RUN) -m pytest -q -m fuzz test/fuzz

test-training: $(TRAINING_STAMP)
	@PYTHONPATH=.:training $(RUN) -m pytest -q training/tests

demo: $(STAMP)
	@$(RUN) -m gesture_node gesture_demo --robot '$(ROBOT)' --audio '$(AUDIO)' --out '$(OUT)' \
	    --bundle '$(BUNDLE)'

bench: $(STAMP)
	@$(RUN) -m gesture_node gesture_bench --bundle '$(BUNDLE)' --out out/bench.json

# Figures and picture of the README and docs/benchmarks.md; on a machine that does nothing else.
pages: bench demo
	@$(RUN) benchmark/write_page.py out/bench.json
	@$(RUN) tools/demo_picture.py '$(OUT)/video.mp4' docs/demo.png 4.8 13.6
	@sed -i 's|^<!-- picture -->$$|![Two moments of the demo: robot, face and sound](docs/demo.png)|' README.md

# Composed and recorded takes in one pack; only what changed is built again (all of it: FRESH=1).
# HOURS=1 composes an hour of body motion instead of 5.5.
corpus: $(TRAINING_STAMP)
	@$(require_data)
	@$(TRAIN).corpora.corpus --data '$(DATA)' --out '$(CORPUS)' $(if $(HOURS),--hours $(HOURS)) \
	    $(if $(FRESH),--fresh)

# First the encoder learns to listen, then the denoisers on top of it; a broken-off run goes on.
# CONFIG may be several files, later ones win; ABLATION=add turns a switch; GPUS=4 uses four; STEPS
# ends every stage early; DISTILL_MINUTES=15 ends with a body of two calls; SYNC_MINUTES= leaves out
# the network that judges synchrony. See docs/training.md.
train: $(TRAINING_STAMP)
	@$(require_data)
	@$(has_front_end) || $(MAKE) --no-print-directory corpus
	@$(LEARN).train --corpus '$(CORPUS)' --config $(CONFIG) $(LISTEN_CONFIG) $(ablation) \
	    --stages encoder --out '$(TRAINING_RUN)/listen' --minutes $(LISTEN_MINUTES) $(steps) \
	    $(call resume,listen)
	@$(LEARN).train --corpus '$(CORPUS)' --config $(CONFIG) $(ablation) --stages face+body \
	    --out '$(TRAINING_RUN)/drive' --minutes $(MINUTES) $(steps) $(or $(call resume,drive), \
	    --weights '$(TRAINING_RUN)/listen')
	@$(LEARN).train --corpus '$(CORPUS)' --config $(CONFIG) $(BODY_CONFIG) $(ablation) --stages body \
	    --out '$(TRAINING_RUN)/body' --minutes $(BODY_MINUTES) $(steps) $(or $(call resume,body), \
	    --weights '$(TRAINING_RUN)/drive')
	$(if $(DISTILL_MINUTES),@$(LEARN).distill --run '$(TRAINING_RUN)/body' --channel body \
	    --corpus '$(CORPUS)' --out '$(TRAINING_RUN)/few' --minutes $(DISTILL_MINUTES) $(steps) \
	    $(call resume,few))
	@$(TRAIN).export --run '$(TRAINING_RUN)/$(if $(DISTILL_MINUTES),few,body)' \
	    --corpus '$(CORPUS)' --bundle '$(TRAINING_RUN)/bundle'
	$(if $(SYNC_MINUTES),@$(no_faces) || $(has_front_end) \
	    || test -f '$(TRAINING_RUN)/sync/sync.json' || $(TRAIN).sync_train --corpus '$(CORPUS)' \
	    --config training/config/sync.yaml --out '$(TRAINING_RUN)/sync' \
	    --minutes $(SYNC_MINUTES) $(steps))
	$(if $(SYNC_MINUTES),@$(no_faces) || $(has_front_end) || $(TRAIN).sync_train \
	    --export '$(TRAINING_RUN)/sync' --bundle '$(TRAINING_RUN)/bundle')
	@echo 'see it move: make demo BUNDLE=$(TRAINING_RUN)/bundle'

# Writes evaluation_report.md, .json and pictures into REPORT; QUICK=1 looks at small samples.
evaluate: REPORT ?= $(if $(QUICK),out/evaluation,docs)
evaluate: $(TRAINING_STAMP)
	@$(require_data)
	@$(TRAIN).evaluation.report --data '$(DATA)' --bundle '$(BUNDLE)' --out '$(REPORT)' \
	    $(if $(QUICK),--quick)

# Contact sheets of ten held-out clips; TEACHER=1 shows what bundles learn from instead of a bundle,
# PAGE=1 also writes small sheets and the table of docs/gallery.md.
gallery: GALLERY ?= out/gallery$(if $(TEACHER),_teacher)
gallery: $(TRAINING_STAMP)
	@$(require_data)
	@$(TRAIN).evaluation.gallery --data '$(DATA)' --bundle '$(BUNDLE)' --out '$(GALLERY)' \
	    $(if $(TEACHER),--teacher) $(if $(PAGE),--docs docs)

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/mypy

clean:
	rm -rf out build install log .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
