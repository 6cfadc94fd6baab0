import type { World } from '../world/world.js';
import { type HttpReply, text } from './http-server.js';

/** `POST /api/accept-manager`: the manager that is there now is the right one. */
export function acceptManager(world: Pick<World, 'accept'>): () => HttpReply {
  return () =>
    world.accept() ? text(200, 'accepted\n') : text(409, 'there is nothing to accept: it is the known one\n');
}
