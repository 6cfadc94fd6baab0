import type { World } from '../world/world.js';
import { authorised } from './authorised.js';
import { type PostRoute, text } from './http-server.js';

/** `POST /api/accept-manager`: the manager that is there now is the right one. */
export function acceptManager(token: string, world: Pick<World, 'accept'>): PostRoute {
  return authorised(token, () =>
    world.accept() ? text(200, 'accepted\n') : text(409, 'there is nothing to accept: it is the known one\n'),
  );
}
