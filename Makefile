# The front door.  Everything real is in scripts/ and CMakeLists.txt.
PREFIX ?= /usr/local
ONLY ?=
N ?=
SEED ?=
TEETH ?=
SHORT ?=
BREAK ?=
PART ?=
.DEFAULT_GOAL := help
.PHONY: help run stop test simulate faults bench lint format install clean
# Scripts share .run and build, and a script decides what runs beside what.
.NOTPARALLEL:

help:
	@echo 'make run      install what is missing, build, start servers, one API, three consumers'
	@echo 'make stop     end everything that make run and make test started'
	@echo 'make test     build and prove everything; ONLY=unit|integration|asan|NAME for a part'
	@echo 'make simulate  N=1000000 schedules of the core; TEETH=1: that they find what is broken'
	@echo 'make faults   strike it in every way and count what is lost; ONLY=row, SHORT=1, BREAK=NAME'
	@echo 'make bench    measure evhd beside the bare libraries; PART=http|store|latency|...'
	@echo 'make lint     clang-format, clang-tidy, cppcheck, shellcheck'
	@echo 'make format   rewrite the sources as clang-format wants them'
	@echo 'make install  into PREFIX=/usr/local, below DESTDIR if that is set'
	@echo 'make clean    delete build/ and .run/, the private servers'\'' data too'

run:
	@scripts/run

stop:
	@scripts/stop

test:
	@scripts/test '$(ONLY)'

simulate:
	@scripts/simulate $(if $(TEETH),--teeth,'$(N)' '$(SEED)')

faults:
	@scripts/faults $(if $(SHORT),--short) $(if $(BREAK),--break '$(BREAK)') $(ONLY)

bench:
	@scripts/bench $(PART)

lint:
	@scripts/lint

format:
	@scripts/lint --fix-format

install:
	@scripts/install '$(PREFIX)' '$(DESTDIR)'

clean:
	@scripts/clean
