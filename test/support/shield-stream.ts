import { once } from 'node:events';
import http2 from 'node:http2';
import type { NodeName } from '../../src/simulator/manager/manager-record.js';
import { requestOf } from './data-path.js';
import { framed } from './framed.js';

export type ShieldApi = 'v1' | 'v2';

/** How a stream of a node ends when it is meant to: Go components do either. */
export type Ending = 'half-close' | 'cancel';

export interface StreamEnd {
  /** grpc-status; -1: the stream was reset without one. */
  readonly code: number;
  readonly details: string;
  /** Messages that came back: a KeepAlive ends without any. */
  readonly messages: number;
}

/** One KeepAlive stream in the test's hand: it beats when the test says so. */
export interface ShieldStream {
  beat(): void;
  /** Resolves with the status once there is one. */
  halfClose(): Promise<StreamEnd>;
  cancel(): void;
  readonly ended: Promise<StreamEnd>;
}

/** A connection of its own, as each component has. */
export interface StreamPeer {
  open(node: NodeName, api: ShieldApi): ShieldStream;
  /** RST, as of a process that is killed with something unread. */
  reset(): void;
  close(): Promise<void>;
}

const PATHS: Record<ShieldApi, string> = {
  v1: '/manager.Manager/KeepAlive',
  v2: '/manager.v2.Manager/KeepAlive',
};

export async function connectPeer(address: string): Promise<StreamPeer> {
  const session = http2.connect(`http://${address}`);
  session.on('error', () => undefined);
  await once(session, 'connect');
  return {
    open: (node, api) => openStream(session, node, api),
    reset: () => session.socket.resetAndDestroy(),
    close: () =>
      new Promise((resolve) => {
        if (session.destroyed) return resolve();
        session.once('close', () => resolve());
        session.destroy();
      }),
  };
}

function openStream(session: http2.ClientHttp2Session, node: NodeName, api: ShieldApi): ShieldStream {
  const path = PATHS[api];
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  const frame = framed(
    requestOf(path, {
      source_type: node.kind === 'scheduler' ? 'SCHEDULER_SOURCE' : 'SEED_PEER_SOURCE',
      hostname: node.hostname,
      ip: node.ip,
      cluster_id: node.clusterId,
    }),
  );
  const ended = endOf(stream);
  return {
    ended,
    beat: () => void stream.write(frame),
    halfClose() {
      stream.end();
      return ended;
    },
    cancel: () => stream.close(http2.constants.NGHTTP2_CANCEL),
  };
}

function endOf(stream: http2.ClientHttp2Stream): Promise<StreamEnd> {
  return new Promise((resolve) => {
    let last: http2.IncomingHttpHeaders = {};
    let receivedBytes = 0;
    stream.on('response', (headers) => {
      last = { ...last, ...headers };
    });
    stream.on('trailers', (headers) => {
      last = { ...last, ...headers };
    });
    stream.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length;
    });
    stream.on('close', () =>
      resolve({
        code: Number(last['grpc-status'] ?? -1),
        details: decodeURIComponent(String(last['grpc-message'] ?? '')),
        messages: receivedBytes > 0 ? 1 : 0,
      }),
    );
  });
}
