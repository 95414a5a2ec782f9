"""Names of well-known arguments of vLLM's engine, and the one that a misspelt name most likely meant."""

from __future__ import annotations

import difflib
from typing import Final

_NAMES: Final = """
    additional_config allowed_local_media_path async_scheduling
    block_size calculate_kv_scales code_revision collect_detailed_traces compilation_config config_format convert
    cpu_offload_gb cuda_graph_sizes data_parallel_address data_parallel_backend data_parallel_hybrid_lb
    data_parallel_rank data_parallel_rpc_port data_parallel_size data_parallel_size_local
    data_parallel_start_rank dcp_kv_cache_interleave_size decode_context_parallel_size device
    disable_async_output_proc
    disable_cascade_attn disable_chunked_mm_input disable_custom_all_reduce disable_hybrid_kv_cache_manager
    disable_log_requests disable_log_stats disable_logprobs_during_spec_decoding disable_mm_preprocessor_cache
    disable_sliding_window disable_sparsity distributed_executor_backend download_dir dtype enable_chunked_prefill
    enable_dbo enable_eplb enable_expert_parallel enable_log_requests enable_lora enable_lora_bias
    enable_multimodal_encoder_data_parallel enable_prefix_caching enable_prompt_adapter enable_prompt_embeds
    enable_reasoning enable_return_routed_experts enable_sleep_mode enforce_eager engine_use_ray eplb_config
    eplb_log_balancedness eplb_step_interval eplb_window_size expert_placement_strategy fully_sharded_loras
    generation_config gpu_memory_utilization guided_decoding_backend guided_decoding_disable_additional_properties
    guided_decoding_disable_any_whitespace guided_decoding_disable_fallback hf_config_path hf_overrides hf_token
    ignore_patterns image_feature_size image_input_shape image_input_type image_token_id interleave_mm_strings
    io_processor_plugin kv_cache_dtype kv_cache_memory_bytes kv_events_config
    kv_offloading_backend kv_offloading_size kv_sharing_fast_prefill kv_transfer_config limit_mm_per_prompt
    load_format logits_processor_pattern logits_processors logprobs_mode long_lora_scaling_factors
    long_prefill_token_threshold lora_dtype lora_extra_vocab_size lora_modules mamba_block_size mamba_cache_dtype
    mamba_ssm_cache_dtype max_context_len_to_capture max_cpu_loras max_log_len max_logprobs
    max_long_partial_prefills max_lora_rank max_loras max_model_len max_num_batched_tokens
    max_num_partial_prefills max_num_seqs max_paddings max_parallel_loading_workers max_prompt_adapter_token
    max_prompt_adapters max_seq_len_to_capture media_io_kwargs mm_encoder_attn_backend mm_encoder_tp_mode
    mm_processor_cache_gb mm_processor_cache_type mm_processor_kwargs mm_shm_cache_max_object_size_mb model
    model_class_overrides model_impl model_loader_extra_config model_weights multi_step_stream_outputs nnodes
    node_rank ngram_prompt_lookup_max ngram_prompt_lookup_min num_gpu_blocks_override num_lookahead_slots
    num_redundant_experts num_scheduler_steps num_speculative_tokens
    otlp_traces_endpoint override_attention_dtype override_generation_config override_neuron_config
    override_pooler_config pipeline_parallel_size placement_group pooler_config preemption_mode
    prefill_context_parallel_size prefix_caching_hash_algo pt_load_map_location qlora_adapter_name_or_path
    quantization quantization_param_path ray_workers_use_nsight reasoning_parser revision
    rope_scaling rope_theta runner scheduler_cls scheduler_delay_factor scheduling_policy
    scheduler_reserve_full_isl seed served_model_name show_hidden_metrics_for_version skip_mm_profiling
    skip_tokenizer_init
    spec_decoding_acceptance_method speculative_config speculative_disable_by_batch_size
    speculative_disable_mqa_scorer speculative_draft_tensor_parallel_size speculative_max_model_len
    speculative_model speculative_model_quantization stream_interval structured_outputs_config swap_space task
    tensor_parallel_size tokenizer tokenizer_mode tokenizer_pool_extra_config tokenizer_pool_size
    tokenizer_pool_type tokenizer_revision trust_remote_code typical_acceptance_sampler_posterior_alpha
    typical_acceptance_sampler_posterior_threshold ubatch_size use_tqdm_on_load use_v2_block_manager video_pruning_rate
    vision_feature_select_strategy weights_load_device worker_cls worker_extension_cls worker_use_ray
"""
KNOWN: Final = frozenset(_NAMES.split())
"""Of AsyncEngineArgs over the releases of vLLM since 0.2. Names come and go: one that is not here may be right."""
_LONGEST: Final = 60
_CLOSE: Final = 0.88
_MOST: Final = 500


def meant(name: str) -> str | None:
    """Return the argument that a name most likely stands for; None for a known name and for one like no other."""
    if name in KNOWN or len(name) > _LONGEST:
        return None
    plain = name.lower().replace("-", "_")
    if plain in KNOWN:
        return plain
    close = difflib.get_close_matches(plain, sorted(KNOWN), n=1, cutoff=_CLOSE)
    return close[0] if close else None


def misspelt(names: list[str]) -> list[tuple[str, str]]:
    """Return the names that are no arguments, each with the one that it most likely stands for."""
    found = ((name, meant(name)) for name in names[:_MOST])
    return [(name, other) for name, other in found if other is not None and other not in names]
