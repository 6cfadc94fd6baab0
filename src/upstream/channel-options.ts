import type { ChannelOptions } from '@grpc/grpc-js';

/** Longest answer that is taken from a manager; its own limit for sending is none. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The longest delay of a timer in Node. */
const NEVER_MS = 2 ** 31 - 1;

/** Options of every channel. `authority` is what the manager sees as the host that was dialled. */
export function channelOptions(authority: string): ChannelOptions {
  return {
    'grpc.default_authority': authority,
    'grpc.primary_user_agent': 'dragonfly-manager-gateway',
    // Otherwise identical channels share one connection.
    'grpc.use_local_subchannel_pool': 1,
    // Retries are the retry stage's; a buffer would keep every message of a stream without an answer.
    'grpc.enable_retries': 0,
    'grpc.per_rpc_retry_buffer_size': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
    'grpc.max_send_message_length': -1,
    // The manager is inside the cluster; a proxy of the environment is meant for what is outside.
    'grpc.enable_http_proxy': 0,
    // grpc-go ends connections that ping more often than every 5 minutes. Probes find dead peers.
    'grpc.keepalive_time_ms': 330_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.keepalive_permit_without_calls': 0,
    'grpc.service_config_disable_resolution': 1,
    // The default closes a channel after 30 minutes without a call.
    'grpc.client_idle_timeout_ms': NEVER_MS,
    'grpc.enable_channelz': 0,
  };
}
