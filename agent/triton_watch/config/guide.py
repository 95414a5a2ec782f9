"""The part of docs/configuration.md that no schema can tell."""

from __future__ import annotations

from typing import Final

GUIDE: Final = """\
<!-- Generated from agent/triton_watch/config by `make generate`: edit there. -->
# Configuration

triton-watch reads one YAML file, by convention `triton-watch.yaml`. `examples/triton-watch.yaml` is a
commented one. The shortest that works:

```yaml
targets:
  - host: localhost
```

| To | run |
| --- | --- |
| check a file, with every file and variable it names | `triton-watch config check triton-watch.yaml` |
| see what it comes to, defaults filled in and secrets masked | `triton-watch config show triton-watch.yaml` |
| have an editor check and complete it | `triton-watch config schema > triton-watch.schema.json` |

`config check` and `config show` end with exit code 0 when the file is good, 1 when it is not valid (each
problem on standard error, with its line and what to do), 2 for wrong usage and 3 when it cannot be read.
A running agent that is given a bad file keeps the configuration it has.

## Addresses

Triton serves HTTP on port 8000, gRPC on 8001 and metrics on 8002. `host: NAME` stands for a server on
these ports. With `url`, gRPC is looked for one port higher and metrics two ports higher than HTTP, with
the same scheme and host, unless `grpc` and `metrics_url` say where they are:

| `url` | HTTP | gRPC | metrics |
| --- | --- | --- | --- |
| `http://triton:8000` | `http://triton:8000` | `triton:8001` | `http://triton:8002/metrics` |
| `http://triton:9000` | `http://triton:9000` | `triton:9001` | `http://triton:9002/metrics` |
| `http://triton` | `http://triton:8000` | `triton:8001` | `http://triton:8002/metrics` |
| `https://triton` (port 443) | `https://triton` | `grpcs://triton:8001` | `https://triton:8002/metrics` |
| `https://proxy/triton` | `https://proxy/triton` | `grpcs://proxy:8001` | `https://proxy:8002/metrics` |

`grpcs://` is gRPC over TLS; `host:port` and `grpc://host:port` are gRPC without it. Behind a proxy, as in the
last two lines, give `grpc` and `metrics_url`: the guess is seldom right. The flags of
`triton-watch run --target URL` follow the same rules.

## Values

- **Durations** are numbers with units: `250ms`, `5s`, `1.5s`, `1m30s`, `2h`, `30d`. A number without a
  unit is refused.
- **Sizes** are whole numbers with a unit: `512B`, `50MB` (10^6 bytes), `50MiB` (2^20 bytes).
- **Text** that YAML would read as something else needs quotes: a model called `1` or `on` is `"1"`,
  `"on"`.
- **Unknown settings**, a setting given twice and a setting without a value are refused. Only `defaults`,
  `web`, `log`, `check`, `slo`, `canary` and `alerts` may stand there empty.
- **Relative paths** start at the folder of the file.
- **YAML** anchors, aliases and `<<` work.

## Variables

`${NAME}` anywhere in a value is replaced from the environment, and `${NAME:-value}` gives a value for
when the variable is unset or empty. A variable that is unset and has no such value is an error. `$$` is
one dollar sign. Names of settings are not replaced, and neither is the content of files that hold
secrets. Inside `{...}` and `[...]` YAML needs quotes around it: `["${NAME}"]`.

## Secrets

`password_file`, `bearer_token_file` and `value_file` name a file whose content is the secret, without the
newline at its end. It is read each time the configuration is loaded, which is at least every 5
minutes; after a secret has changed, SIGHUP makes it at once. Secrets are never logged;
`config show` prints `<secret>` for passwords, tokens and
the values of all headers. A user name or password in a URL is refused.

## Defaults and targets

What stands under `defaults` holds for all targets. A target's own setting replaces it whole, a list or
mapping of headers included; only `timeouts` are taken one by one. A target with its own `basic_auth` or
bearer token does not use the one of `defaults`, whichever kind that is.

`timeouts.total` must be shorter than `interval`, and `connect` and `read` no longer than `total`.

## Objectives

An objective promises that a share of the requests to some models is good; the rest is its error budget.
What is good depends on `sli`:

| `sli` | an event is | it is good when | `threshold` |
| --- | --- | --- | --- |
| `availability` | a request | the server answers it; a canceled one does not count | none |
| `queue_time` | a request | the mean queue time of its interval is within the threshold | `50ms` |
| `request_time` | a request | the mean request time of its interval is within the threshold | `200ms` |
| `ttft` | a request | its first response comes within the threshold | `500ms` |
| `batch_efficiency` | a second with traffic | batches are at least so efficient | `0.5` |
| `gpu_utilization` | a second with traffic | the model uses so much of its GPUs | `{low: 20%, high: 90%}` |
| `canary` | a canary | it passes | none |

With `quantile` a queue or request time is the quantile that the server serves, in place of the mean. `ttft`
needs a server that serves `nv_inference_first_response_histogram_ms`, and a threshold that is one of its
bucket bounds. `triton-watch slo check FILE` says each objective in words, and with `--target URL` or
`--live` whether a real server has the data for it. It also takes a file that has an `slo` section alone.

Burn rates are watched over pairs of windows that scale with `period`; for 30d a page is sent at 14.4x over
1h and 5m and at 6x over 6h and 30m, a ticket made at 3x over 1d and 2h and at 1x over 3d and 6h. No window
is shorter than 1m.

## Canaries

A canary is a small request that the agent sends to a model itself, every `canary.interval`, to see whether
the model answers, how fast and with what. Nothing has to be configured: inputs are made from the metadata of
the model. `canary: {enabled: false}` sends none, and `models` and `exclude_models` choose who is asked.

An entry of `canary.overrides` asks some models otherwise. It starts from what stands under `canary` itself and
replaces what it gives, `parameters` whole; the first entry whose `models` fit is the one that counts. Only there
can `inputs` be given, since they fit few models. Each input is a mapping of the model's input names to data, or
`{file: PATH}` alone, which is a file of a whole input:

```yaml
canary:
  overrides:
    - models: ranker
      interval: 10s
      inputs: # used in turn
        - FEATURES: [0.1, 0.2, 0.3, 0.4] # nested lists or a scalar, with the batch dimension or without it
          TEXT: {file: text.npy}
        - FEATURES: {values: [1, 2, 3, 4], shape: [1, 4]} # a scalar fills the shape
          TEXT: [[hello]]
        - {file: recorded.npz} # or .json, as Triton's HTTP API takes it
```

The data of an input that is called `file` itself is written `{file: {values: ...}}`. Files must be there when the
configuration is loaded. All values of a tensor are of one kind: text, numbers, or truth values.

## Alerts

The agent evaluates its alerts without any setting, and tells nobody: what fires is on `triton-watch alerts` and at
`/api/v1/alerts`. Name the Alertmanagers, every member of a cluster, and they are told:

```yaml
alerts:
  alertmanagers:
    - url: http://alertmanager-0:9093
    - url: http://alertmanager-1:9093
      basic_auth: {username: watcher, password_file: /run/secrets/password}
  external_labels: {cluster: prod}
  overrides:
    - alerts: TritonGpu* # the first entry that fits an alert, its target and its model is the one that counts
      targets: dev-*
      enabled: false
    - alerts: TritonQueueGrowing
      models: ranker*
      severity: page
      for: 5m
      labels: {team: search}
```

Where Prometheus has the generated rules, too, `mode: prometheus` keeps everybody from being told twice. Peers,
overrides and everything else of the section take effect when the file is loaded again, without a restart.
`triton-watch alerts explain` lists the alerts.

An override whose `alerts` fit no alert is an error. Labels that say which alert it is, such as `alertname`, `severity`,
`target` and `model`, cannot be added. `off` needs no quotes.
"""
