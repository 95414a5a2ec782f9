"""One whole check: repositories (in several processes when there are many models), manifests, a live server."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from triton_watch.check import suppress
from triton_watch.check.engine import crashed, ordered, run_rules
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope
from triton_watch.check.rules.engine_rules import CRASHED
from triton_watch.check.summary import ModelSummary, Summaries, summarize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from triton_watch.check.discover import RepositorySpec
    from triton_watch.check.live import LiveServer
    from triton_watch.check.manifest import Manifest
    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Rule
    from triton_watch.check.suppress import Suppression
    from triton_watch.records import Finding

    Progress = Callable[[int, int], None]

_WORTH_A_PROCESS = 150
"""Models from which on a second process pays for its start (about 30 ms)."""
_CHUNK = 50
_GARBAGE = 50_000
"""Objects that a child makes before it looks for garbage: some models' worth, a few MB."""
_MOST_PROCESSES = 8


@dataclass(slots=True)
class Checked:
    """What came of a check: findings in order, and how much was looked at."""

    findings: list[Finding] = field(default_factory=list)
    models: int = 0
    repositories: int = 0
    manifests: int = 0
    live: int = 0
    suppressed: int = 0
    readable: int = 0
    """Models whose configuration could be read whole, or that need none."""
    deployments: int = 0
    """Manifests that could be read, and live servers."""
    whole: bool = True
    """Whether all models of every repository were looked at."""
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Path of a repository -> names of its models that were checked."""


@dataclass(frozen=True, slots=True)
class ModelResult:
    """What the rules of one model gave. It travels between processes, so it holds nothing of the model's tree."""

    findings: tuple[Finding, ...]
    suppressed: int
    summary: ModelSummary | None
    """None when the model could not even be summed up, which is then a finding."""
    suppressions: tuple[Suppression, ...]
    config_path: str


def check(
    rules: Sequence[Rule],
    options: Options,
    *,
    repositories: Sequence[RepositorySpec] = (),
    manifests: Sequence[Manifest] = (),
    live: LiveServer | None = None,
    processes: int | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Run the rules on everything. `progress(done, total)` counts models; `processes` None chooses by itself."""
    done = Checked(repositories=len(repositories), manifests=len(manifests), live=int(live is not None))
    jobs = [
        _Job(spec, Repository(spec.path, only=spec.only, given=spec.given, loose=spec.loose)) for spec in repositories
    ]
    done.deployments = done.live + sum(map(_tells_of_deployment, manifests))
    done.whole = all(spec.only is None and spec.loose is None for spec in repositories)
    done.names = {str(job.spec.path): job.repository.names for job in jobs}
    done.models = sum(len(job.repository.names) for job in jobs)
    for job, result in _results(jobs, rules, options, processes, progress):
        job.results.append(result)
    everything = [job.summaries() for job in jobs]
    done.readable = sum(model.readable for one in everything for model in one.models.values())
    wide: list[Finding] = []
    for summaries in everything:
        wide += run_rules(rules, Scope.REPOSITORY, summaries, options)
    wide += run_rules(rules, Scope.COLLECTION, everything, options)
    _collect(done, jobs, wide)
    for manifest in manifests:
        models = {name: model for summaries in everything for name, model in summaries.models.items()}
        done.findings += run_rules(rules, Scope.MANIFEST, replace(manifest, models=models), options)
    if live is not None:
        on_disk = {
            name: model for job in jobs for name in job.repository.names if (model := job.repository.model(name))
        }
        done.findings += run_rules(rules, Scope.LIVE, replace(live, on_disk=on_disk), options)
    done.findings = ordered(done.findings)
    return done


def _tells_of_deployment(manifest: Manifest) -> bool:
    """Whether probes and metrics stand in it: not in a broken file, nor where KServe's runtime has them."""
    return manifest.broken is None and not all(container.managed for container in manifest.containers)


@dataclass(slots=True)
class _Job:
    spec: RepositorySpec
    repository: Repository
    results: list[ModelResult] = field(default_factory=list)

    def summaries(self) -> Summaries:
        models = {result.summary.name: result.summary for result in self.results if result.summary is not None}
        return Summaries(
            self.spec.path, dict(sorted(models.items())), whole=self.spec.only is None, together=not self.spec.found
        )


def _collect(done: Checked, jobs: Iterable[_Job], wide: list[Finding]) -> None:
    """Put all findings together; a comment in a model's configuration silences what is said of it elsewhere, too."""
    by_file: dict[str | None, list[Finding]] = {}
    for finding in wide:
        by_file.setdefault(finding.file, []).append(finding)
    for job in jobs:
        for result in job.results:
            done.findings += result.findings
            done.suppressed += result.suppressed
            folder = os.path.dirname(result.config_path)  # noqa: PTH120  # a text, as findings have it
            for place in (result.config_path, folder) if result.suppressions else ():
                own = by_file.pop(place, [])
                kept, silenced = suppress.drop(own, result.suppressions, result.config_path)
                done.findings += kept
                done.suppressed += len(silenced)
    done.findings += [finding for findings in by_file.values() for finding in findings]


def _results(
    jobs: Sequence[_Job], rules: Sequence[Rule], options: Options, processes: int | None, progress: Progress | None
) -> Iterator[tuple[_Job, ModelResult]]:
    total = sum(len(job.repository.names) for job in jobs)
    wanted = processes or (min(_MOST_PROCESSES, usable_processors()) if total >= _WORTH_A_PROCESS else 1)
    done = 0
    for job, results in _alone(jobs, rules, options) if wanted == 1 else _shared_out(jobs, rules, options, wanted):
        for result in results:
            yield job, result
        done += len(results)
        if progress is not None:
            progress(done, total)


def usable_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _alone(jobs: Sequence[_Job], rules: Sequence[Rule], options: Options) -> Iterator[tuple[_Job, list[ModelResult]]]:
    for job in jobs:
        for name in job.repository.names:
            yield job, _check_models(job.repository, (name,), rules, options)


def _shared_out(
    jobs: Sequence[_Job], rules: Sequence[Rule], options: Options, processes: int
) -> Iterator[tuple[_Job, list[ModelResult]]]:
    """Fork: the children have the repositories, the rules and the parser's schema already."""
    from concurrent.futures import ProcessPoolExecutor, as_completed  # noqa: PLC0415  # small checks need neither
    from multiprocessing import get_context  # noqa: PLC0415

    every = [(number, job.repository.names) for number, job in enumerate(jobs)]
    chunks = [
        (number, names[start : start + _CHUNK]) for number, names in every for start in range(0, len(names), _CHUNK)
    ]
    context = get_context("fork")
    of_models = tuple(rule for rule in rules if rule.scope is Scope.MODEL)
    arguments = ([job.repository for job in jobs], of_models, options)
    with ProcessPoolExecutor(processes, context, _take_work, arguments) as pool:
        futures = {pool.submit(_check_chunk, number, names): number for number, names in chunks}
        for future in as_completed(futures):
            number = futures.pop(future)
            yield jobs[number], future.result()


_work: list[tuple[list[Repository], tuple[Rule, ...], Options]] = []
"""What a child process works on; written once, when it is forked."""


def _take_work(repositories: list[Repository], rules: tuple[Rule, ...], options: Options) -> None:
    gc.freeze()  # what was inherited is never garbage; looking it through again and again costs a seventh of the time
    gc.set_threshold(_GARBAGE, 20, 100)
    _work.append((repositories, rules, options))


def _check_chunk(number: int, names: tuple[str, ...]) -> list[ModelResult]:
    repositories, rules, options = _work[0]
    return _check_models(repositories[number], names, rules, options)


def _check_models(
    repository: Repository, names: Iterable[str], rules: Sequence[Rule], options: Options
) -> list[ModelResult]:
    models = (repository.model(name) for name in names)
    return [_check_model(model, rules, options) for model in models if model is not None]


def _check_model(model: Model, rules: Sequence[Rule], options: Options) -> ModelResult:
    found = run_rules(rules, Scope.MODEL, model, options)
    try:
        kept, suppressed = suppress.apply(found, model, rules)
        comments = () if model.config is None else suppress.suppressions(model.config, whole=not model.detached)
        return ModelResult(tuple(kept), suppressed, summarize(model), comments, str(model.config_path))
    except Exception as error:  # noqa: BLE001  # whatever a model does to us, the others are still checked
        return ModelResult((*found, crashed(CRASHED, model, error)), 0, None, (), str(model.config_path))
