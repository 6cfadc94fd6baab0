import { codeOf, GatewayError } from '../errors.js';
import type { Emit, ErrorClass } from '../observe/events.js';
import type { UnaryRequest } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import { Code, type Status } from '../rpc/status.js';
import type { Address } from './address.js';
import { type Carrier, unary } from './unary.js';
import type { Answer } from './upstream.js';

export interface AttemptContext {
  /** undefined: the status is a fact. */
  readonly classify: (status: Status) => ErrorClass | undefined;
  /** The label of a path in events: a known method's name, or `other`. */
  readonly methodLabel: (path: string) => string;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Waits for a place among the calls in flight at `address`; whoever has `entered` must leave again. */
export async function enter({ emit, methodLabel }: AttemptContext, address: Address, request: UnaryRequest) {
  try {
    return await address.inFlight.enter(request);
  } catch (error) {
    const overloaded = codeOf(error) === 'overloaded';
    if (overloaded) emit({ kind: 'manager-overloaded', method: methodLabel(request.path) });
    throw error;
  }
}

/** Asks `address` over `carrier`; events and the address's health hear how it went. */
export async function attempt(
  context: AttemptContext,
  address: Address,
  carrier: Carrier,
  request: UnaryRequest,
): Promise<Answer> {
  const startedMs = context.clock.nowMs();
  const answered = (status: Status) => {
    const errorClass = context.classify(status);
    context.emit({
      kind: 'manager-answered',
      method: context.methodLabel(request.path),
      manager: address.manager,
      code: status.code,
      latencyMs: context.clock.nowMs() - startedMs,
      errorClass,
      detail: status.message,
    });
    return errorClass;
  };
  try {
    const answer = await unary(address, carrier, request, context.clock);
    const { status } = answer.reply;
    if (answered(status) === undefined) address.reportAnswer();
    else if (status.code === Code.UNAVAILABLE) address.reportTrouble();
    return answer;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'manager-timeout') {
      // For the metrics a deadline that passed is what it would be without a gateway.
      answered({ code: Code.DEADLINE_EXCEEDED, message: error.message });
      address.reportTrouble();
    }
    throw error;
  }
}
