import { undecidedOf } from '../cache/sharing/shared-question.js';
import { GatewayError } from '../errors.js';
import type { Question } from '../rpc/question.js';
import { createClassifier } from './classify.js';
import { decodeRequest, encodeRequest, requestFieldNumbers } from './proto.js';

const LIST = '/manager.v2.Manager/ListSchedulers';

/** What searchers ask as one while nobody knows who would get the same answer. */
export function askedByStrangers(fleetId: string): Question {
  const message = encodeRequest(LIST, { hostname: 'manager-gateway', ip: '127.0.0.1' });
  const classifier = createClassifier({ fleetId, decoder: { decodeRequest, requestFieldNumbers } });
  const own = classifier.question(LIST, message);
  const question = own && undecidedOf(own);
  if (question === undefined) throw new GatewayError('internal', 'proto/ has no ListSchedulers as it was');
  return question;
}
