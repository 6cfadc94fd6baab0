import { createHash, timingSafeEqual } from 'node:crypto';
import type { World } from '../world/world.js';
import { type PostRoute, text } from './http-server.js';

/** `POST /api/accept-manager`: the manager that is there now is the right one. Nobody may without `admin.token`. */
export function acceptManager(token: string, world: Pick<World, 'accept'>): PostRoute {
  return (authorization) => {
    if (token === '') return text(403, 'admin.token is not set, so nobody may\n');
    if (!same(authorization, `Bearer ${token}`)) return text(401, 'Authorization: Bearer <admin.token>\n');
    return world.accept()
      ? text(200, 'accepted\n')
      : text(409, 'there is nothing to accept: it is the known one\n');
  };
}

/** Takes the same time however much of it is right. */
function same(one: string, other: string): boolean {
  const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(one), digest(other));
}
