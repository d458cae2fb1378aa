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

import concurrent.futures
import itertools
import os
import queue
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SHOPS = ROOT / "target" / "loom-mutants"
SOURCES = ["state", "batch", "turns", "ordered", "chain", "worker", "ready", "sleep", "pool", "limit",
           "control", "count", "queue", "end", "timer", "executor", "helper"]
WEAKER = {"AcqRel": ["Acquire", "Release"], "Acquire": ["Relaxed"], "Release": ["Relaxed"]}
# Models by the beginnings of their names, the quick ones first.
GROUPS = ["model::end", "model::limit", "model::count", "model::ordered", "model::ready",
          "model::pool::complete", "model::pool::requeue", "model::pool::cancel", "model::pool::limited",
          "model::pool::sleep_against_s", "model::pool::ordered", "model::pool::two",
          "model::pool::sleep_against_put", "model::pool::leaving"]
# What is most likely to catch a mutant of a file, where that is not what is quickest.
FIRST = {"limit": "model::limit", "control": "model::limit", "count": "model::count",
         "chain": "model::ready", "ready": "model::ready"}
# Orderings that are argued, not modelled: a canceller who knows nothing of the life that he meets but
# its number, which takes a work that has gone through lives on two queues while he was away. (So is
# that he looks at the end whether the work is still on the queue that he has waited for.)
ARGUED = [("state", "life"), ("state", "queue"), ("state", "end")]
TIMEOUT = 900

# (what is dropped, file, text, replacement)
RECHECKS = [
    ("leaving without a look at what was pushed", "turns",
     "self.stack.compare_exchange(ACTIVE, IDLE, Ordering::Release, Ordering::Relaxed).is_ok()",
     "{ let idle = self.stack.load(Ordering::Relaxed) == ACTIVE;\n"
     "if idle { self.stack.store(IDLE, Ordering::Release) } idle }"),
    ("passing the turn without a second look at DONE", "ordered",
     "Owed::Retire => Turn::Passed(head),", "Owed::Retire => Turn::Rests,"),
    ("retiring a work that is not done", "ordered",
     "Owed::Nothing => Turn::Rests,", "Owed::Nothing => Turn::Passed(head),"),
    ("no turn for the first work of an idle lane", "ordered",
     "let _ = unsafe { batch.oldest().as_ref() }.state.take_turn();", ""),
    ("a work that is taken and stays", "turns",
     "unsafe { self.front.set(B::field(oldest.as_ref()).get()) };", ""),
    ("a chain that is not turned round", "turns",
     "link.set(oldest);", "link.set(oldest); if oldest.is_null() { return Some(work) }"),
    ("a batch whose oldest is not put on what was there", "turns",
     "B::field(oldest.as_ref()).set(seen)", "B::field(oldest.as_ref()).set(ACTIVE)"),
    ("a batch that keeps the link to the work that has the turn", "turns",
     "IDLE => ACTIVE, // The oldest", "IDLE if second.is_some() => oldest.as_ptr(), IDLE => ACTIVE, //"),
    ("a batch that is linked once, before the first try", "turns",
     "unsafe { B::field(second.as_ref()).set(below_second) };",
     "if below_second == ACTIVE { unsafe { B::field(second.as_ref()).set(below_second) } }"),
    ("a look at the lane after the turn has left", "ordered",
     "Owed::Nothing => Turn::Rests,", "Owed::Nothing => { self.0.is_idle(); Turn::Rests }"),
    ("a budget that is spent without handing over", "ordered",
     "unsafe { self.pass_on(visit) }", "{ let _ = unsafe { self.next(&visit) }; Turn::Rests }"),
    ("handing over without the turn", "ordered",
     "let owed = state.take_turn();\n                debug_assert!(owed == Owed::Retire);", ""),
    ("a messenger is handed over", "ordered", "if !state.look().is_barrier() {", "if true {"),
    ("nobody wakes who stands in the order", "ordered",
     "Owed::Wake => Turn::Woke(address),", "Owed::Wake => { let _ = address; Turn::Rests }"),
    ("start by a load and a store", "state",
     "self.0.fetch_or(State::STARTED, Ordering::Relaxed)",
     "{ let s = self.0.load(Ordering::Relaxed);\n"
     "self.0.store(s.with(State::STARTED), Ordering::Relaxed); s }"),
    ("start without setting STARTED", "state",
     "self.0.fetch_or(State::STARTED, Ordering::Relaxed)",
     "self.0.load(Ordering::Relaxed)"),
    ("cancel without a look at STARTED", "state",
     "            if seen.has(State::STARTED) {\n                return Err(Error::Busy);\n            }\n", ""),
    ("a cancelled work runs", "helper",
     "let start = this.state.start();", "let _ = this.state.start(); let start = Start::Run;"),
    ("a cancelled work that does not look for its completion", "state",
     "        let bits = if late {", "        let bits = if late && false {"),
    ("completion of a work that has ended meanwhile", "state",
     "match self.0.compare_exchange(seen, new, Ordering::Relaxed, Ordering::Relaxed) {\n"
     "                Ok(_) => break,",
     "match Ok::<_, State>(self.0.fetch_or(State::COMPLETING, Ordering::Relaxed)).map(|_| new) {\n"
     "                Ok(_) => break,"),
    ("expiry that does not end the delay", "state",
     "let keep = State(!State::DELAYED.with(State::AWAITED).0);",
     "let keep = State(!State::AWAITED.0);"),
    ("who waits for an expiry does not say so", "state",
     "let new = seen.with(State::AWAITED);", "let new = seen;"),
    ("nobody wakes who waits for an expiry", "queue",
     "            if this.state.expire() {\n", "            if this.state.expire() && false {\n"),
    ("expiry before the work has its place", "queue",
     "            if kind.is_ordered {\n"
     "                self.push(kind.lane, Some(&batch));\n            }\n            placed();",
     "            placed();\n            if kind.is_ordered {\n"
     "                self.push(kind.lane, Some(&batch));\n            }"),
    ("the last one wakes nobody", "count", "== AWAITED | 1;", "== AWAITED | 2;"),
    ("who waits does not say so", "count", "_ => seen | AWAITED,", "_ => seen,"),
    ("a turnstile that lets two in", "count",
     "while self.0.swap(CROWDED, Ordering::Acquire) != FREE {",
     "while self.0.swap(CROWDED, Ordering::Acquire) == 77 {"),
    ("who waits at a turnstile does not say so", "count",
     "while self.0.swap(CROWDED, Ordering::Acquire) != FREE {\n"
     "            port.wait(self.0.address(), CROWDED);",
     "while self.0.swap(TAKEN, Ordering::Acquire) != FREE {\n"
     "            port.wait(self.0.address(), TAKEN);"),
    ("who leaves a turnstile wakes nobody", "count",
     "if self.0.swap(FREE, Ordering::Release) == CROWDED {",
     "if self.0.swap(FREE, Ordering::Release) == CROWDED && false {"),
    ("a flush that looks at one count", "count",
     "        for _ in 0..2 {", "        for _ in 0..1 {"),
    ("a limit that is not kept", "limit",
     "if gate.has_room() { gate.one_more() } else { gate.with(Gate::PARKED) }", "gate.one_more()"),
    ("parking without a word", "limit",
     "if gate.has_room() { gate.one_more() } else { gate.with(Gate::PARKED) }",
     "if gate.has_room() { gate.one_more() } else { gate }"),
    ("nobody takes up the parked", "limit",
     "let before = self.change(|gate| change(gate).taken_up());",
     "let before = self.change(|gate| change(gate)); if true { return None; }"),
    ("the parked is taken up twice", "limit",
     "let before = self.change(|gate| change(gate).taken_up());",
     "let before = self.change(|gate| change(gate));"),
    ("parked after the gate says so", "limit",
     "        unsafe { self.parked.set(work.as_ptr()) };\n        self.change(", "        self.change("),
    ("the right to start is not passed on", "control",
     "Admission::Admitted(unsafe { this.backlog.next() })", "Admission::Admitted(None)"),
    ("the right to start is not taken along", "helper",
     "    if let Some(next) = next {", "    if let Some(next) = next.filter(|_| false) {"),
    ("room is not made", "helper",
     "    if let Some(parked) = control.release(lane) {",
     "    if let Some(parked) = None::<NonNull<Work>> {\n        let _ = control;"),
    ("nobody tells who flushes", "end", "    port.wake(address);\n}", "    let _ = (port, address);\n}"),
    ("a flush that waits for nobody", "end",
     "        if list.is_idle() {\n            self.tell();", "        if true {\n            self.tell();"),
    ("destruction without standing in the order", "end",
     "let was_alone = [Lane::High, Lane::Normal].map(|lane| self.stand(lane, port));",
     "let was_alone = [true; 2]; if false { self.stand(Lane::High, port); }"),
    ("who cancels and waits does not look whether it was queued again", "end",
     "self.state.life() == life && self.state.idle()", "(self.state.life() == life || true) && self.state.idle()"),
    ("lives without a number", "state", "self.0.wrapping_add(Self::NEXT_LIFE)", "self.0.wrapping_add(0)"),
    ("cancelling a delayed work without telling the timers", "end",
     "                queue.pool().note_cancelled();\n", "                let _ = queue;\n"),
    ("a bell that does not ring", "timer", "        port.wake(self.bell.address());\n", ""),
    ("a bell without a number", "timer", "self.bell.fetch_add(1, Ordering::Release);", ""),
    ("two in tick", "timer", "if self.busy.swap(1, Ordering::Acquire) != 0 {",
     "if self.busy.swap(1, Ordering::Acquire) == 77 {"),
    ("finish without setting the bits", "state",
     "so is what was written before it.\n        Owed::after(self.0.fetch_or(bits, Ordering::AcqRel)",
     "\n        Owed::after(self.0.fetch_or(State(0), Ordering::AcqRel)"),
    ("finish of an asynchronous work as of any other", "state",
     "let bits = if is_async { State::RETURNED } else { State::DONE };",
     "let bits = if is_async { State::DONE } else { State::DONE };"),
    ("finish by a load and a store", "state",
     "so is what was written before it.\n        Owed::after(self.0.fetch_or(bits, Ordering::AcqRel)",
     "\n        Owed::after({ let s = self.0.load(Ordering::Acquire);\n"
     "self.0.store(s.with(bits), Ordering::Release); s }"),
    ("finish of a cancelled work without setting the bits", "state",
     "as of `finish`.\n        Owed::after(self.0.fetch_or(bits, Ordering::AcqRel)",
     "\n        Owed::after(self.0.fetch_or(State(0), Ordering::AcqRel)"),
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
     "        write_status();\n        // Release", "        // Release"),
    ("retiring when two of the three bits are there", "state",
     "before.with(bits).has(State::DONE_AND_TURN)",
     "before.with(bits).has(State::RETURNED.with(State::TURN))"),
    ("completion that leaves the last step to nobody", "queue",
     "? == Owed::Retire {", "? == Owed::Retire && false {"),
    ("a work that was handed over runs again", "helper",
     "if !state.is_to_be_retired() {", "if true {"),
    ("end after the last callback", "helper",
     "    this.state.end();\n"
     "    // Nothing of `work` may be touched past this point: its last callback ends its life.\n"
     "    call(ops.ordered_free.or(ops.ordered_func), work);",
     "    call(ops.ordered_free.or(ops.ordered_func), work);\n    this.state.end();"),
    ("end after func of a work without a place", "helper",
     "    this.state.end();\n    // Nothing of `work` may be touched past this point: `func` ends its life (state rule 3).\n"
     "    if start == Start::Run {\n        call(ops.func, work);\n    }\n",
     "    if start == Start::Run {\n        call(ops.func, work);\n    }\n    this.state.end();\n"),
    ("finish before func", "helper",
     "    if start == Start::Run {\n        call(ops.func, work);\n    }\n"
     "    if let Some(control) = control {\n        release(control, queue, lane);\n    }\n"
     "    match start {\n        Start::Run => this.state.finish(),",
     "    if let Some(control) = control {\n        release(control, queue, lane);\n    }\n"
     "    match start {\n        Start::Run => { let owed = this.state.finish(); call(ops.func, work); owed }"),
    ("a work that is handed over and not made ready", "executor",
     "Turn::Passed(next) => unsafe { self.make_one_ready(lane, next) },",
     "Turn::Passed(next) => { let _ = next; }"),
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
     "self.ready.touch();\n        if let", "if let"),
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
        if (file, function) in ARGUED:
            continue
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


class Fault(Exception):
    """Why no verdict can be had."""


class Shop:
    """A copy of what the models need, and where it is built."""

    def __init__(self, number):
        self.tree = SHOPS / str(number) / "tree"
        self.build = SHOPS / str(number) / "build"
        shutil.rmtree(self.tree, ignore_errors=True)
        self.tree.mkdir(parents=True)
        for name in ["Cargo.toml", "Cargo.lock", "core", "ffi"]:
            source = ROOT / name
            if source.is_dir():
                # New times, so that Cargo does not take what an earlier run has built for fresh.
                shutil.copytree(source, self.tree / name, copy_function=shutil.copy,
                                ignore=shutil.ignore_patterns("target"))
            else:
                shutil.copy(source, self.tree / name)

    def cargo(self, *args):
        """A call of Cargo: whether it succeeded, and what it said."""
        call = ["cargo", "test", "--locked", "--profile", "model", "--package", "btwq",
                "--lib", *args]
        env = dict(os.environ, RUSTFLAGS="--cfg loom -A warnings", RUST_BACKTRACE="0",
                   CARGO_TARGET_DIR=str(self.build))
        try:
            done = subprocess.run(call, cwd=self.tree, env=env, capture_output=True, text=True,
                                  errors="replace", timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired as error:
            raise Fault(f"no verdict within {TIMEOUT} s") from error
        return done.returncode == 0, done.stdout + done.stderr

    def verdict(self, file=None):
        """By which model the tree's fault, in a file, is caught; None if by none."""
        for group in sorted(GROUPS, key=lambda group: group != FIRST.get(file)):
            good, said = self.cargo(group, "--", "--test-threads=1")
            if not good:
                if "panicked" not in said and "failed to initiate panic" not in said:
                    raise Fault(f"failed, but not in a model:\n{said}")
                # One test at a time, so that after an abort the last one named is what failed.
                failed = re.search(r"^test \S*model::(\S+) \.\.\. FAILED", said, re.M)
                named = re.findall(r"^test \S*model::(\S+) ", said, re.M)
                return failed[1] if failed else named[-1] if named else f"{group}: {said[-200:]}"
        return None

    def check(self, mutant):
        """By which model the mutant is caught, and how long that took."""
        target = self.tree / "core/src" / f"{mutant.file}.rs"
        whole = target.read_text()
        target.write_text(mutant.text)
        built, said = self.cargo("--no-run")
        if not built:
            raise Fault(f"'{mutant.name}' does not compile:\n{said}")
        start = time.monotonic()
        caught = self.verdict(mutant.file)
        target.write_text(whole)
        return caught, time.monotonic() - start

    def check_whole(self):
        """The core as it is must pass, and every model be in a group: others would go by it."""
        _, said = self.cargo("--", "--list")
        models = re.findall(r"^tests::(model::\S+): test$", said, re.M)
        missed = [m for m in models if not any(m.startswith(group) for group in GROUPS)]
        if missed or not models:
            raise Fault(f"in no group: {missed or said}")
        if caught := self.verdict():
            raise Fault(f"the models fail without a mutant: {caught}")


def run(mutants):
    """Checks all, in as many shops as there are processors; returns those that survive."""
    shops = queue.Queue()
    for number in range(min(os.cpu_count() or 1, 4)):
        shops.put(Shop(number))
    survivors, done = [], itertools.count(1)

    def check(mutant):
        shop = shops.get()
        try:
            caught, took = shop.check(mutant)
        finally:
            shops.put(shop)
        if not caught:
            survivors.append(mutant.name)
        what = f"caught by {caught}" if caught else "SURVIVED"
        print(f"{next(done):3}/{len(mutants)} {mutant.name:66} {what} ({took:.0f} s)", flush=True)

    with concurrent.futures.ThreadPoolExecutor(shops.qsize()) as pool:
        whole = shops.get()
        whole.check_whole()
        shops.put(whole)
        futures = [pool.submit(check, mutant) for mutant in mutants]
        try:
            for future in futures:
                future.result()
        except Fault:
            pool.shutdown(cancel_futures=True)
            raise
    return survivors


def main():
    """Runs the mutants that the command line names, or all."""
    words = [word for word in sys.argv[1:] if word != "--list"]
    texts = {f: (ROOT / "core/src" / f"{f}.rs").read_text() for f in SOURCES}
    mutants = [m for f in SOURCES for m in orderings(f, texts[f])] + list(rechecks(texts))
    mutants = [m for m in mutants if all(word in m.name for word in words)]
    if "--list" in sys.argv:
        print("\n".join(m.name for m in mutants))
        return
    print(f"{len(mutants)} mutants; first the core as it is, which must pass", flush=True)
    try:
        survivors = run(mutants)
    except Fault as fault:
        sys.exit(f"loom-mutants: {fault}")
    if survivors:
        sys.exit("loom-mutants: not caught:\n  " + "\n  ".join(survivors))
    print(f"{len(mutants)} passed, 0 failed")


if __name__ == "__main__":
    main()
