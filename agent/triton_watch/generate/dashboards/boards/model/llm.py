"""What vLLM and TensorRT-LLM tell of themselves on Triton's page: a row of the Model board."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.generate.dashboards.panels import Query, graph
from triton_watch.generate.dashboards.variables import OVER_VERSIONS, TRITON, WATCHED
from triton_watch.generate.queries import histogram_quantile

if TYPE_CHECKING:
    from triton_watch.generate.dashboards.panels import Panel

_NO_VLLM: Final = 'No vLLM: its models need the parameter REPORT_CUSTOM_METRICS: "true"'
_NO_TENSORRT_LLM: Final = "No TensorRT-LLM"
_MODEL: Final = "{{model}}"
_QUANTILES: Final = {0.5: "p50", 0.95: "p95", 0.99: "p99"}
_BY_TYPE: Final = replace(TRITON, by=("model", "request_type"))
_BLOCKS: Final = "nv_trt_llm_kv_cache_block_metrics"
_FIRST: Final = replace(WATCHED, by=("model",)).highest("triton_watch_canary_first_response_seconds")


def language_models() -> tuple[Panel, ...]:
    """Tokens, times to tokens, and the memory that bounds them."""
    return (
        graph(
            "Tokens",
            "Tokens read and written in a second, over all chosen Tritons. When it stands still while requests wait, "
            "the KV cache is full: see the graph on it.",
            Query(OVER_VERSIONS.rate("vllm:generation_tokens_total"), f"written: {_MODEL}"),
            Query(OVER_VERSIONS.rate("vllm:prompt_tokens_total"), f"read: {_MODEL}"),
            Query(OVER_VERSIONS.rate("nv_llm_output_token_len_sum"), f"written: {_MODEL}"),
            Query(OVER_VERSIONS.rate("nv_llm_input_token_len_sum"), f"read: {_MODEL}"),
            unit="short",
            no_value=_NO_VLLM,
            width=8,
        ),
        graph(
            "Time to first token",
            "From vLLM's histogram, and of the last canary. High: long prompts or many requests at once; lower "
            "max_num_seqs, add replicas, or cache prompts.",
            *_quantiles("vllm:time_to_first_token_seconds"),
            Query(_FIRST, f"canary {_MODEL}"),
            unit="s",
            no_value=_NO_VLLM,
            width=8,
        ),
        graph(
            "Time for each further token",
            "From vLLM's histogram: the pace at which readers see text. It rises with the "
            "requests that run at the same time: add replicas.",
            *_quantiles("vllm:time_per_output_token_seconds"),
            unit="s",
            no_value=_NO_VLLM,
            width=8,
        ),
        graph(
            "Whole answers",
            "Time from a request to its last token, from vLLM's histogram (24.09 and newer). It grows with the length "
            "of the answers: compare it with the time for each token first.",
            *_quantiles("vllm:e2e_request_latency_seconds"),
            unit="s",
            no_value=_NO_VLLM,
            width=8,
        ),
        graph(
            "KV cache in use (fullest Triton)",
            "Share of TensorRT-LLM's KV cache blocks that are in use. At 100% requests wait or are paused: raise "
            "kv_cache_free_gpu_mem_fraction, or shorten what requests may ask for.",
            Query(OVER_VERSIONS.highest(_BLOCKS, 'kv_cache_block_type="fraction"'), _MODEL),
            unit="percentunit",
            highest=1,
            no_value=_NO_TENSORRT_LLM,
            width=8,
        ),
        graph(
            "Requests inside TensorRT-LLM",
            "Active, scheduled, in their context phase and waiting. Waiting that grows while the KV cache is not full: "
            "max_batch_size of the engine is the limit.",
            Query(
                _BY_TYPE.total("nv_trt_llm_request_metrics", 'request_type!="max"'), f"{{{{request_type}}}}: {_MODEL}"
            ),
            Query(_BY_TYPE.total("nv_trt_llm_request_metrics", 'request_type="max"'), f"max: {_MODEL}"),
            unit="short",
            limits="^max",
            no_value=_NO_TENSORRT_LLM,
            width=8,
        ),
    )


def _quantiles(histogram: str) -> tuple[Query, ...]:
    return tuple(
        Query(histogram_quantile(OVER_VERSIONS, histogram, one), f"{name} {_MODEL}") for one, name in _QUANTILES.items()
    )
