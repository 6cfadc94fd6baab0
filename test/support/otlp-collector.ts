import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Span = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
};

/** A receiver of OTLP over HTTP, JSON. */
export class Collector {
  readonly spans: Span[] = [];
  /** As they came. */
  readonly bodies: Buffer[] = [];
  /** User and password that were shown. */
  readonly credentials: string[] = [];
  readonly #server: Server;
  failing = false;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      const [, shown = ''] = request.headers.authorization?.split(' ') ?? [];
      this.credentials.push(Buffer.from(shown, 'base64').toString());
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.bodies.push(Buffer.concat(chunks));
        const body = JSON.parse(Buffer.concat(chunks).toString());
        if (!this.failing) {
          for (const resource of body.resourceSpans)
            for (const scope of resource.scopeSpans) this.spans.push(...scope.spans);
        }
        response.writeHead(this.failing ? 400 : 200, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }
  static async start(): Promise<Collector> {
    const made = new Collector();
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    return made;
  }
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  named(name: string): Span[] {
    return this.spans.filter((span) => span.name === name);
  }
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
