import { createHash, timingSafeEqual } from 'node:crypto';
import { type HttpReply, type PostRoute, text } from './http-server.js';

/** A POST for whoever shows `admin.token`; nobody may while it is empty. */
export function authorised(
  token: string,
  answer: (body: string) => Promise<HttpReply> | HttpReply,
): PostRoute {
  return ({ authorization, body }) => {
    if (token === '') return text(403, 'admin.token is not set, so nobody may\n');
    if (!same(authorization, `Bearer ${token}`)) return text(401, 'Authorization: Bearer <admin.token>\n');
    return answer(body);
  };
}

/** Takes the same time however much of it is right. */
function same(one: string, other: string): boolean {
  const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(one), digest(other));
}
