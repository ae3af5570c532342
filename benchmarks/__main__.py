"""Run benchmarks and print one table: ``python -m benchmarks [--quick] [--json FILE] [NAME ...]``."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
import sys
from dataclasses import asdict
from inspect import cleandoc
from pathlib import Path
from typing import Protocol, cast

import benchmarks
from benchmarks.report import Row, table


class Benchmark(Protocol):
    """A module of this package that measures."""

    __name__: str
    __doc__: str

    def run(self, quick: bool) -> list[dict[str, object]]:
        """Measure, and give one dict for each figure."""
        ...


def discover() -> dict[str, Benchmark]:
    """Every benchmark of this package, by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(benchmarks.__path__) if found.name[0] != "_")
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    return {name: cast("Benchmark", module) for name, module in modules.items() if hasattr(module, "run")}


def machine() -> str:
    """What the figures were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, {cores} cores"


def main(arguments: list[str]) -> int:
    """Measure what the command line names; 1 when an aim was missed in a full run."""
    found = discover()
    parser = argparse.ArgumentParser(prog="make bench", description="Measure against named peers in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(found)} (default: all of them)")
    parser.add_argument("--quick", action="store_true", help="less work by the same method: a look, no claim")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there as well")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(found))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(map(repr, unknown))}; there are {', '.join(found)}")

    rows: list[Row] = []
    for name in options.names or found:
        print(f"{name}: {how(found[name])}\n", flush=True)
        rows += map(Row.read, found[name].run(options.quick))
    print(table(rows))
    missed = [row.name for row in rows if row.verdict == "missed"]
    met = sum(row.verdict == "met" for row in rows)
    print(f"\n{machine()}{', quick run' if options.quick else ''}: {met} aims met, {len(missed)} missed.")
    print("Only ratios within this run are claims; absolute figures depend on the machine.")
    if options.json:
        document = {
            "machine": machine(),
            "quick": options.quick,
            "rows": [asdict(row) | {"verdict": row.verdict} for row in rows],
        }
        options.json.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return int(bool(missed) and not options.quick)


def how(benchmark: Benchmark) -> str:
    """How a benchmark measures: the first paragraph of its docstring."""
    return cleandoc(benchmark.__doc__).split("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
