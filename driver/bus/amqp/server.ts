import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { chooseMethod, DispatchError } from '../dispatch';
import type { RpcEndpoint } from '../port';
import type { Delivery } from './consumer';
import { type Request, readRequest, wrap } from './envelope';
import { messageOf } from './link';
import { type Publisher, UnroutableError } from './publisher';
import { hexId } from './topology';

export interface RpcServerDeps {
  readonly log: Logger;
  readonly replies: Publisher;
  /** Milliseconds. */
  readonly replyPatience: number;
  readonly mandatory: boolean;
}

/** Between two attempts to answer a caller whose queue is not there; and how many such queues are remembered. */
const RETRY = 250;
const DEAD_QUEUES = 200;
const DEAD_FOR = 60_000;

/**
 * What a server does with a request: a cast is carried out, a call is answered besides. What the endpoint throws is the
 * caller's, or the log's for a cast; the message is done either way.
 */
export function createRpcServer(deps: RpcServerDeps, endpoint: RpcEndpoint): (delivery: Delivery) => Promise<void> {
  const { log } = deps;
  const reply = createReplies(deps);
  return async ({ inner, headers }) => {
    const request = readRequest(inner);
    const alive = request.reply?.patience === undefined ? undefined : startSignsOfLife(request, reply);
    const answer = await carryOut(endpoint, request, headers)
      .then(
        (result) => ({ result: result ?? null, failure: null }),
        (error: unknown) => {
          log.warn({ err: error, method: request.method, kind: request.reply ? 'call' : 'cast' }, 'a request failed');
          return { result: null, failure: describeFailure(error) };
        },
      )
      .finally(() => clearInterval(alive));
    // Not waited for: a caller that has gone must not hold up the acknowledgement.
    if (request.reply) void reply(request.reply, { ...answer, ending: true });
  };
}

async function carryOut(endpoint: RpcEndpoint, request: Request, headers: Delivery['headers']): Promise<unknown> {
  const { method, args, context } = request;
  const loadBalancerId = headers['load_balancer'];
  const about = typeof loadBalancerId === 'string' ? { loadBalancerId } : {};
  return chooseMethod(endpoint, request)({ method, args, context, ...about });
}

type Reply = NonNullable<Request['reply']>;
interface Answer {
  readonly result: unknown;
  readonly failure: string | null;
  readonly ending: boolean;
}
type SendReply = (to: Reply, answer: Answer) => Promise<void>;

function startSignsOfLife({ reply: to }: Request, reply: SendReply): NodeJS.Timeout | undefined {
  if (!to?.patience) return undefined;
  const beat = { result: null, failure: null, ending: false };
  return setInterval(() => void reply(to, beat), (to.patience * 1000) / 2).unref();
}

/** Answers, again and again while the caller's queue is not there; who did not come in time is not waited for soon again. */
function createReplies({ replies, replyPatience, mandatory, log }: RpcServerDeps): SendReply {
  const dead = new Map<string, number>();
  const isDead = (queue: string): boolean => performance.now() - (dead.get(queue) ?? -DEAD_FOR) < DEAD_FOR;
  return async ({ queue, messageId }, answer) => {
    const body = wrap({ ...answer, _msg_id: messageId, _unique_id: hexId() });
    const until = performance.now() + (isDead(queue) ? 0 : replyPatience);
    for (;;) {
      try {
        await replies.send({ key: queue, body, mandatory });
        dead.delete(queue);
        return;
      } catch (error) {
        if (performance.now() < until) {
          await sleep(RETRY, undefined, { ref: false });
          continue;
        }
        if (error instanceof UnroutableError) remember(dead, queue);
        log.warn({ queue, reason: messageOf(error) }, 'an answer was dropped: nobody takes it');
        return;
      }
    }
  };
}

function remember(dead: Map<string, number>, queue: string): void {
  dead.set(queue, performance.now());
  const [oldest] = dead.keys();
  if (dead.size > DEAD_QUEUES && oldest !== undefined) dead.delete(oldest);
}

/** As callers that know oslo.messaging rebuild it. */
function describeFailure(error: unknown): string {
  const message = messageOf(error);
  const known = error instanceof DispatchError;
  return JSON.stringify({
    class: known ? error.name : 'Exception',
    module: known ? 'oslo_messaging.rpc.dispatcher' : 'builtins',
    message,
    tb: [`${error instanceof Error ? error.name : 'Error'}: ${message}\n`],
    args: [message],
    kwargs: {},
  });
}
