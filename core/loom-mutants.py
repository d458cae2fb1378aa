#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Shows that the models have teeth: breaks the core in one place at a time, and runs them.

Two kinds of mutants:

- orderings: every Acquire, Release and AcqRel in the sources named in SOURCES (all of the core but
  the port for hosts, which the models do not have) is weakened by one step;
- re-checks, bits and wakes: the list RECHECKS below. An entry whose text is no longer in the source
  is an error, so that the list can not rot.

A mutant is caught when a model says that it fails; that it takes too long, or is killed, is no
verdict and ends the script. The script fails unless all are caught.

    loom-mutants.py [--list] [WORD...]      only those whose line contains each WORD
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "target" / "loom-mutants" / "tree"
BUILD = ROOT / "target" / "loom-mutants" / "build"
SOURCES = ["state", "batch", "ordered", "chain", "worker", "ready", "sleep", "pool", "queue", "helper"]
WEAKER = {"AcqRel": ["Acquire", "Release"], "Acquire": ["Relaxed"], "Release": ["Relaxed"]}
# Models by the beginnings of their names, the quick ones first.
GROUPS = ["model::ordered", "model::ready", "model::pool::complete", "model::pool::requeue",
          "model::pool::sleep_against_s", "model::pool::ordered", "model::pool::two",
          "model::pool::sleep_against_put", "model::pool::leaving"]
TIMEOUT = 900

# (what is dropped, file, text, replacement)
RECHECKS = [
    ("leaving without a look at what was pushed", "ordered",
     "self.stack.compare_exchange(ACTIVE, IDLE, Ordering::Release, Ordering::Relaxed).is_ok()",
     "{ let idle = self.stack.load(Ordering::Relaxed) == ACTIVE;\n"
     "if idle { self.stack.store(IDLE, Ordering::Release) } idle }"),
    ("passing the turn without a second look at DONE", "ordered",
     "state.is_done() || state.take_turn() == Owed::Retire",
     "state.is_done() || { let _ = state.take_turn(); false }"),
    ("retiring a work that is not done", "ordered",
     "state.is_done() || state.take_turn() == Owed::Retire",
     "state.is_done() || { let _ = state.take_turn(); true }"),
    ("no turn for the first work of an idle lane", "ordered",
     "let owed = unsafe { batch.oldest().as_ref() }.state.take_turn();\n"
     "                    debug_assert!(owed == Owed::Nothing);",
     ""),
    ("front stored after the turn has left", "ordered",
     "unsafe { self.front.set(rest) };\n"
     "        if state.is_done() || state.take_turn() == Owed::Retire {",
     "let over = state.is_done() || state.take_turn() == Owed::Retire;\n"
     "        unsafe { self.front.set(rest) };\n        if over {"),
    ("a chain that is not turned round", "ordered",
     "link.set(oldest);", "link.set(oldest); if oldest.is_null() { return Some(work) }"),
    ("a batch whose oldest is not put on what was there", "ordered",
     "oldest.as_ref().link.set(seen)", "oldest.as_ref().link.set(ACTIVE)"),
    ("a batch that keeps the link to the work that has the turn", "ordered",
     "IDLE => ACTIVE, // The oldest", "IDLE if second.is_some() => oldest.as_ptr(), IDLE => ACTIVE, //"),
    ("a batch that is linked once, before the first try", "ordered",
     "unsafe { second.as_ref().link.set(below_second) };",
     "if below_second == ACTIVE { unsafe { second.as_ref().link.set(below_second) } }"),
    ("a look at the lane after the turn has left", "ordered",
     "        None // Neither `head` nor", "        self.stack.load(Ordering::Relaxed);\n"
     "        None // Neither `head` nor"),
    ("a budget that is spent without handing over", "ordered",
     "        Some(next)\n        // On every way out", "        let _ = next; None\n        // On every way out"),
    ("handing over without the turn", "ordered",
     "let owed = unsafe { next.as_ref() }.state.take_turn();\n"
     "        debug_assert!(owed == Owed::Retire);", ""),
    ("finish without setting the bits", "state",
     "self.0.fetch_or(bits, Ordering::AcqRel)", "self.0.fetch_or(State(0), Ordering::AcqRel)"),
    ("finish of an asynchronous work as of any other", "state",
     "let bits = if is_async { State::RETURNED } else { State::DONE };",
     "let bits = if is_async { State::DONE } else { State::DONE };"),
    ("finish by a load and a store", "state",
     "self.0.fetch_or(bits, Ordering::AcqRel)",
     "{ let s = self.0.load(Ordering::Acquire);\n"
     "self.0.store(s.with(bits), Ordering::Release); s }"),
    ("take_turn without setting TURN", "state",
     "self.0.fetch_or(State::TURN, Ordering::AcqRel)", "self.0.fetch_or(State(0), Ordering::AcqRel)"),
    ("complete without setting COMPLETED", "state",
     "self.0.fetch_or(State::COMPLETED, Ordering::AcqRel)",
     "self.0.fetch_or(State(0), Ordering::AcqRel)"),
    ("complete by a load and a store", "state",
     "self.0.fetch_or(State::COMPLETED, Ordering::AcqRel)",
     "{ let s = self.0.load(Ordering::Acquire);\n"
     "self.0.store(s.with(State::COMPLETED), Ordering::Release); s }"),
    ("a status that is written after the completion", "state",
     "        write_status();\n", ""),
    ("retiring when two of the three bits are there", "state",
     "before.with(bits).has(State::DONE_AND_TURN)",
     "before.with(bits).has(State::RETURNED.with(State::TURN))"),
    ("completion that leaves the last step to nobody", "queue",
     "== Owed::Retire {\n            // SAFETY: state rule 1: the work is ours",
     "== Owed::Retire && false {\n            // SAFETY: state rule 1: the work is ours"),
    ("a work that was handed over runs again", "helper",
     "if !state.is_to_be_retired() {", "if true {"),
    ("end after the last callback", "helper",
     "    this.state.end();\n"
     "    // Nothing of `work` may be touched past this point: its last callback ends its life.\n"
     "    call(ops.ordered_free.or(ops.ordered_func), work);",
     "    call(ops.ordered_free.or(ops.ordered_func), work);\n    this.state.end();"),
    ("end after func of a work without a place", "helper",
     "this.state.end();\n        // `func` ends its life (state rule 3).\n"
     "        call(ops.func, work);",
     "call(ops.func, work);\n        this.state.end();"),
    ("finish before func", "helper",
     "        call(ops.func, work);\n        if this.state.finish() == Owed::Nothing {",
     "        if this.state.finish() == Owed::Nothing {"),
    ("a work that is handed over and not made ready", "pool",
     "unsafe { self.submit(next.as_ref().state.look().lane(), &Batch::of(next)) };", "let _ = next;"),
    ("push without linking", "chain",
     "unsafe { batch.oldest().as_ref().next.set(seen) };", ""),
    ("take that leaves the chain", "chain",
     "NonNull::new(self.0.swap(ptr::null_mut(), Ordering::Acquire))",
     "NonNull::new(self.0.load(Ordering::Acquire))"),
    ("touch by a load", "chain",
     "let mut seen = ptr::null_mut();\n        loop {",
     "let mut seen = ptr::null_mut();\n        if true { return self.0.load(Ordering::Acquire)"
     ".is_null() }\n        loop {"),
    ("put by a store", "chain",
     "let old = self.0.swap(chain.as_ptr(), Ordering::AcqRel);\n"
     "        debug_assert!(old.is_null(), \"two parties put chains into one place\");",
     "self.0.store(chain.as_ptr(), Ordering::Release);"),
    ("rest of the chain forgotten", "ready",
     "unsafe { me.slots.of(lane).put(rest) };", "let _ = rest;"),
    ("sleep without a look at the inboxes", "ready",
     "self.inboxes.both().into_iter().all(Chain::is_empty) && workers", "workers"),
    ("sleep without a look at the normal inbox", "ready",
     "self.inboxes.both().into_iter().all(Chain::is_empty) && workers",
     "self.inboxes.of(Lane::High).is_empty() && workers"),
    ("sleep without a look at the high inbox", "ready",
     "self.inboxes.both().into_iter().all(Chain::is_empty) && workers",
     "self.inboxes.of(Lane::Normal).is_empty() && workers"),
    ("sleep without a look at the slots", "ready",
     "self.inboxes.both().into_iter().all(Chain::is_empty) && workers.iter().all(others)",
     "{ let _ = (others, workers); self.inboxes.both().into_iter().all(Chain::is_empty) }"),
    ("sleep without a look at stop", "pool",
     "self.ready.is_empty(me, &self.workers) && self.current_run() == Some(run);",
     "self.ready.is_empty(me, &self.workers); let _ = run;"),
    ("sleep without an announcement", "pool", "self.sleepers.announce(me);", ""),
    ("look before the announcement", "pool",
     "self.sleepers.announce(me);\n        let idle = self.ready.is_empty(me, &self.workers)"
     " && self.current_run() == Some(run);",
     "let idle = self.ready.is_empty(me, &self.workers) && self.current_run() == Some(run);\n"
     "        self.sleepers.announce(me);"),
    ("a wake that is not passed on", "pool",
     "if !self.sleepers.pick(me) && !idle {", "if !self.sleepers.pick(me) && false {"),
    ("a loop that goes on in the next run", "pool",
     "while self.current_run() == Some(run) {", "while self.current_run().is_some() {\n let _ = run;"),
    ("a sleeper that looks only whether the pool runs", "pool",
     "&& self.current_run() == Some(run);\n        if idle",
     "&& self.current_run().is_some();\n        let _ = run;\n        if idle"),
    ("a stop that forgets the number of the run", "pool",
     "self.runs.fetch_or(STOPPED, Ordering::Relaxed);", "self.runs.store(STOPPED, Ordering::Relaxed);"),
    ("no wake after a submission", "pool",
     "if unsafe { self.ready.submit(lane, batch) } {",
     "if unsafe { self.ready.submit(lane, batch) } && false {"),
    ("no wake for what is left over", "pool", "if claim.more {", "if claim.more && false {"),
    ("no wake at stop", "pool",
     "for worker in self.workers.iter().filter(|w| self.sleepers.pick(w)) {",
     "for worker in self.workers.iter().filter(|w| self.sleepers.pick(w)).take(0) {"),
    ("stop without a touch", "pool",
     "self.ready.touch();\n        for worker", "for worker"),
    ("join without a touch", "pool",
     "self.ready.touch();\n        }\n        // SAFETY: as the caller says; it has joined.",
     "}\n        // SAFETY: as the caller says; it has joined."),
    ("a worker that stays counted as asleep", "pool",
     "if !self.sleepers.pick(me) && !idle {", "if false && !self.sleepers.pick(me) && !idle {"),
    ("a wake without a pick", "sleep",
     ".compare_exchange(ASLEEP, AWAKE, Ordering", ".compare_exchange(ASLEEP, ASLEEP, Ordering"),
]


class Mutant(NamedTuple):
    """One place, broken."""

    name: str
    file: str
    text: str


def code_lines(text):
    """The lines that are code, with their numbers."""
    for number, line in enumerate(text.split("\n")):
        if not line.lstrip().startswith("//"):
            yield number, line


def orderings(file, text):
    """Each ordering of a file, weakened."""
    lines = text.split("\n")
    function = "?"
    for number, line in code_lines(text):
        if found := re.search(r"\bfn (\w+)", line):
            function = found[1]
        for found in re.finditer(r"Ordering::(AcqRel|Acquire|Release)\b", line):
            for weaker in WEAKER[found[1]]:
                changed = line[: found.start(1)] + weaker + line[found.end(1):]
                # A comparison must not fail more strictly than it succeeds; those here never do.
                name = f"{file}.rs:{number + 1} {function}: {found[1]} -> {weaker}"
                yield Mutant(name, file, "\n".join(lines[:number] + [changed] + lines[number + 1:]))


def rechecks(texts):
    """Each entry of the list, dropped."""
    for name, file, old, new in RECHECKS:
        if texts[file].count(old) != 1:
            sys.exit(f"loom-mutants: '{name}': {texts[file].count(old)} places in {file}.rs, not 1")
        yield Mutant(f"{file}.rs {name}", file, texts[file].replace(old, new))


def cargo(*args):
    """A call of Cargo in the copied tree: whether it succeeded, and what it said."""
    call = ["cargo", "test", "--locked", "--profile", "model", "--package", "btwq",
            "--lib", *args]
    env = dict(os.environ, RUSTFLAGS="--cfg loom -A warnings", CARGO_TARGET_DIR=str(BUILD), RUST_BACKTRACE="0")
    try:
        done = subprocess.run(call, cwd=TREE, env=env, capture_output=True, text=True,
                              errors="replace", timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        sys.exit(f"loom-mutants: no verdict within {TIMEOUT} s")
    return done.returncode == 0, done.stdout + done.stderr


def verdict():
    """By which model the tree's fault is caught; None if by none."""
    for group in GROUPS:
        good, said = cargo(group, "--", "--test-threads=1")
        if not good:
            if "panicked" not in said:
                sys.exit(f"loom-mutants: failed, but not in a model:\n{said}")
            # One test at a time, so that after an abort the last one named is the one that failed.
            failed = re.search(r"^test \S*model::(\S+) \.\.\. FAILED", said, re.M)
            named = re.findall(r"^test \S*model::(\S+) ", said, re.M)
            return failed[1] if failed else named[-1] if named else f"{group}: {said[-200:]}"
    return None


def copy_tree():
    """A copy of what the models need."""
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.mkdir(parents=True)
    for name in ["Cargo.toml", "Cargo.lock", "core", "ffi"]:
        source = ROOT / name
        if source.is_dir():
            # New times, so that Cargo does not take what an earlier run has built for fresh.
            shutil.copytree(source, TREE / name, copy_function=shutil.copy,
                            ignore=shutil.ignore_patterns("target"))
        else:
            shutil.copy(source, TREE / name)


def check_groups():
    """Every model must be in a group, or its mutants would go by it."""
    _, said = cargo("--", "--list")
    models = re.findall(r"^tests::(model::\S+): test$", said, re.M)
    missed = [m for m in models if not any(m.startswith(group) for group in GROUPS)]
    if missed or not models:
        sys.exit(f"loom-mutants: in no group: {missed or said}")


def main():
    """Runs the mutants that the command line names, or all."""
    words = [word for word in sys.argv[1:] if word != "--list"]
    texts = {f: (ROOT / "core/src" / f"{f}.rs").read_text() for f in SOURCES}
    mutants = [m for f in SOURCES for m in orderings(f, texts[f])] + list(rechecks(texts))
    mutants = [m for m in mutants if all(word in m.name for word in words)]
    if "--list" in sys.argv:
        print("\n".join(m.name for m in mutants))
        return
    copy_tree()
    check_groups()
    print(f"{len(mutants)} mutants; first the core as it is, which must pass", flush=True)
    if caught := verdict():
        sys.exit(f"loom-mutants: the models fail without a mutant: {caught}")
    survivors = []
    for number, mutant in enumerate(mutants, 1):
        target = TREE / "core/src" / f"{mutant.file}.rs"
        target.write_text(mutant.text)
        built, said = cargo("--no-run")
        if not built:
            sys.exit(f"loom-mutants: '{mutant.name}' does not compile:\n{said}")
        start = time.monotonic()
        caught = verdict()
        target.write_text(texts[mutant.file])
        if not caught:
            survivors.append(mutant.name)
        what = f"caught by {caught}" if caught else "SURVIVED"
        took = time.monotonic() - start
        print(f"{number:3}/{len(mutants)} {mutant.name:66} {what} ({took:.0f} s)", flush=True)
    if survivors:
        sys.exit("loom-mutants: not caught:\n  " + "\n  ".join(survivors))
    print(f"{len(mutants)} passed, 0 failed")


if __name__ == "__main__":
    main()
